import { DatabaseSync } from 'node:sqlite'

/**
 * Open a database that may come from anybody: its schema may call no function that has an effect outside of it.
 *
 * @param path - or a `file:` URL
 * @see https://sqlite.org/security.html
 */
export function openDatabase(path: string, { readOnly }: { readOnly: boolean }): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly, defensive: true })
  db.exec('PRAGMA trusted_schema = OFF')
  return db
}
