/** A `content.sqlite` (module content-sqlite): each blob is a row. */
import { closeSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { FluxError } from '../../errors/index.ts'
import type { StoreKind } from '../store-kind.ts'
import { planReading, planReadingBeside, planSalvage, planWriting } from './plans.ts'

const MAGIC = 'SQLite format 3\0'

export const sqliteKind: StoreKind = {
  name: 'sqlite',
  fileName: 'content.sqlite',
  isDirectory: false,
  what: 'an SQLite database',

  // Only a regular file is opened: opening a pipe would block, and signals would not be handled meanwhile.
  recognise: ({ path, stats }) => stats?.isFile() === true && headOf(path) === MAGIC,

  mayBeSalvaged: ({ stats }) => stats?.isFile() === true,

  // SQLite takes an empty file for an empty database.
  mayBeMade: ({ path, stats }) =>
    stats === undefined ? basename(path).endsWith('.sqlite') : stats.isFile() && stats.size === 0,

  openToRead: async (path, options) => planReading(path, options),
  openToSalvage: async (path, options) => planSalvage(path, options),
  openBeside: planReadingBeside,
  openToWrite: async (path, options) => planWriting(path, options),
}

function headOf(path: string): string {
  const head = Buffer.alloc(MAGIC.length)
  try {
    const fd = openSync(path, 'r')
    try {
      readSync(fd, head, 0, head.length, 0)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot open store ${path}`)
  }
  return head.toString('latin1')
}
