/** Reads blobs that lie in one file into the memory of a batch. */
import { readSync } from 'node:fs'

/**
 * Blobs with at most this many bytes between them are read at once: the header of a tar member takes 512 bytes, its pax
 * records two blocks more.
 */
const GAP_BYTES = 4 << 10

/** Most bytes of blobs that are read at once, and of what is between them. */
const RANGE_BYTES = 1 << 20

/** The blobs of a batch that are read. */
export interface BlobsToRead {
  /** The offset of each in the file; not a number for one that is not read. */
  readonly offsets: Float64Array
  /** Where each begins and ends in the memory. Those that are not read may take some of it. */
  readonly start: Uint32Array
  readonly end: Uint32Array
}

/** Read blobs. Those that are near each other in the file, in this order, are read together. */
export function readBlobs(fd: number, into: Buffer, { offsets, start, end }: BlobsToRead): void {
  let scratch: Buffer | undefined
  for (let i = 0; i < offsets.length; i++) {
    const from = offsets[i] as number
    if (Number.isNaN(from)) continue
    let last = i
    let bytes = (end[i] as number) - (start[i] as number)
    let to = from + bytes
    for (let next = i + 1; next < offsets.length; next++) {
      const offset = offsets[next] as number
      if (Number.isNaN(offset)) continue
      const length = (end[next] as number) - (start[next] as number)
      if (offset < to || offset - to > GAP_BYTES || offset + length - from > RANGE_BYTES) break
      last = next
      bytes += length
      to = offset + length
    }
    const first = start[i] as number
    if (bytes === to - from && bytes === (end[last] as number) - first) {
      // Nothing is between them, neither in the file nor in the memory.
      readFully(fd, into.subarray(first, first + bytes), from)
    } else {
      scratch ??= Buffer.allocUnsafeSlow(RANGE_BYTES)
      readFully(fd, scratch.subarray(0, to - from), from)
      for (let each = i; each <= last; each++) {
        const offset = (offsets[each] as number) - from
        const length = (end[each] as number) - (start[each] as number)
        if (offset >= 0) scratch.copy(into, start[each] as number, offset, offset + length)
      }
    }
    i = last
  }
}

/** Read at an offset. A file that is shorter than expected gives zeros, which do not have the digest. */
export function readFully(fd: number, into: Buffer, position: number): void {
  for (let at = 0; at < into.length; ) {
    const read = readSync(fd, into, at, into.length - at, position + at)
    if (read === 0) return void into.fill(0, at)
    at += read
  }
}
