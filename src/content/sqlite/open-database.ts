import { DatabaseSync } from 'node:sqlite'

/**
 * Open a database that is not trusted: its schema cannot call functions with effects outside the database.
 *
 * @param path - a path or a `file:` URL
 * @see https://sqlite.org/security.html
 */
export function openDatabase(path: string, { readOnly }: { readOnly: boolean }): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly, defensive: true })
  db.exec('PRAGMA trusted_schema = OFF')
  return db
}
