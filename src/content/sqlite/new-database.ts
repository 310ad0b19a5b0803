import { existsSync } from 'node:fs'
import { FluxError } from '../../errors/index.ts'
import { NewFile } from '../new-file.ts'

/**
 * Begin a new database.
 *
 * @throws {FluxError} `EEXIST` journals of a missing database are there: SQLite would apply them to the new one
 */
export function newDatabase(path: string): NewFile {
  for (const suffix of ['-wal', '-journal']) {
    if (!existsSync(path + suffix)) continue
    throw new FluxError('EEXIST', `${path}${suffix}: belongs to a database that is not there`, {
      hint: 'put that back, or move this away',
    })
  }
  return new NewFile(path, 'file')
}
