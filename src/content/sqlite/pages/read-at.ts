import { readSync } from 'node:fs'

/** A disk that fails gives up a whole request. What can be read of it is read in pieces of this size. */
const PIECE = 4096

/**
 * Read bytes of a file. What the disk cannot read is zero.
 *
 * @param at - where to put them in `buffer`
 * @param from - where they begin in the file
 * @returns how many there are: fewer than `length` at the end of the file
 */
export function readAt(fd: number, buffer: Buffer, at: number, length: number, from: number): number {
  let done = 0
  try {
    while (done < length) {
      const bytes = readSync(fd, buffer, at + done, length - done, from + done)
      if (bytes === 0) break
      done += bytes
    }
    return done
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
  }
  while (done < length) {
    const piece = Math.min(PIECE - ((from + done) % PIECE), length - done)
    let bytes: number
    try {
      bytes = readSync(fd, buffer, at + done, piece, from + done)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
      buffer.fill(0, at + done, at + done + piece)
      bytes = piece
    }
    if (bytes === 0) break
    done += bytes
  }
  return done
}
