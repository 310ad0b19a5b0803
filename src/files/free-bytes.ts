import { statfsSync } from 'node:fs'

/**
 * The bytes that this user may still write to the file system of a directory; Infinity where it does not tell, as a tmpfs
 * without a limit.
 *
 * @throws {NodeJS.ErrnoException}
 */
export function freeBytes(dir: string): number {
  const { bavail, blocks, bsize } = statfsSync(dir)
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize
}
