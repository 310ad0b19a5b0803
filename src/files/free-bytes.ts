import { statfsSync } from 'node:fs'

/** The bytes that this user may still write to the file system of a directory. @throws {NodeJS.ErrnoException} */
export function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize
}
