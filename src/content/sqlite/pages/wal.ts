/**
 * Finds the pages in a write-ahead log.
 *
 * A frame is valid when it has the salts of the log's header and the checksum over all frames before it is right; the
 * frame of a commit has the size of the database. SQLite reads the frames up to the last valid commit. Those behind it are
 * of a transaction that did not end, or are left from before the log was begun again. They may hold blobs too.
 *
 * @see https://sqlite.org/fileformat2.html, "The Write-Ahead Log"
 */
import { PAGE_BYTES } from './layout.ts'
import { readAt } from './read-at.ts'

export const WAL = { HEADER_BYTES: 32, FRAME_HEADER_BYTES: 24 } as const

const MAGIC = 0x377f0682

/** Frames that are read at a time. In bytes. */
const CHUNK = 1 << 20

/** Which pages of a log are meant: those that SQLite reads, those of its last transaction too, or those left from before. */
export interface WalFrames {
  readonly committed: ReadonlyMap<number, number>
  readonly written: ReadonlyMap<number, number>
  readonly stale: ReadonlyMap<number, number>
}

/** The page size in the header of a log; undefined when that is damaged. */
export function walPageBytes(fd: number): number | undefined {
  const header = Buffer.alloc(WAL.HEADER_BYTES)
  if (readAt(fd, header, 0, header.length, 0) < header.length) return undefined
  if ((header.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return undefined
  const bytes = header.readUInt32BE(8)
  return bytes >= PAGE_BYTES.MIN && bytes <= PAGE_BYTES.MAX && (bytes & (bytes - 1)) === 0 ? bytes : undefined
}

/**
 * Read the headers of all frames.
 *
 * @returns by page number, the index of its newest frame
 */
export function readFrames(fd: number, fileBytes: number, pageBytes: number): WalFrames {
  const committed = new Map<number, number>()
  const written = new Map<number, number>()
  const stale = new Map<number, number>()
  /** Valid frames since the last commit: page number and index of each. */
  let pending: number[] = []
  const header = Buffer.alloc(WAL.HEADER_BYTES)
  readAt(fd, header, 0, header.length, 0)
  const sum = new Checksum(header)
  let isValid = sum.add(header, 0, 24) && sum.matches(header, 24)
  const stride = pageBytes + WAL.FRAME_HEADER_BYTES
  const frames = Math.max(0, Math.floor((fileBytes - WAL.HEADER_BYTES) / stride))
  const inChunk = Math.max(1, Math.min(frames, Math.floor(CHUNK / stride)))
  const chunk = Buffer.alloc(inChunk * stride)
  for (let frame = 0; frame < frames; frame++) {
    const at = (frame % inChunk) * stride
    if (at === 0) readAt(fd, chunk, 0, chunk.length, WAL.HEADER_BYTES + frame * stride)
    const page = chunk.readUInt32BE(at)
    const isOurs = chunk.compare(header, 16, 24, at + 8, at + 16) === 0
    if (isValid) {
      isValid =
        isOurs &&
        sum.add(chunk, at, at + 8) &&
        sum.add(chunk, at + WAL.FRAME_HEADER_BYTES, at + stride) &&
        sum.matches(chunk, at + 16)
    }
    if (!isOurs) stale.set(page, frame)
    else written.set(page, frame)
    if (!isValid) continue
    pending.push(page, frame)
    if (chunk.readUInt32BE(at + 4) === 0) continue
    for (let i = 0; i < pending.length; i += 2) committed.set(pending[i] as number, pending[i + 1] as number)
    pending = []
  }
  return { committed, written, stale }
}

/** The checksum of a log, which goes on from frame to frame. */
class Checksum {
  readonly #bigEndian: boolean
  #s0 = 0
  #s1 = 0

  constructor(header: Buffer) {
    this.#bigEndian = (header.readUInt32BE(0) & 1) === 1
  }

  /** Add bytes, a multiple of 8. @returns true */
  add(bytes: Buffer, from: number, to: number): true {
    let [s0, s1] = [this.#s0, this.#s1]
    for (let at = from; at < to; at += 8) {
      s0 = (s0 + this.#word(bytes, at) + s1) | 0
      s1 = (s1 + this.#word(bytes, at + 4) + s0) | 0
    }
    this.#s0 = s0
    this.#s1 = s1
    return true
  }

  matches(bytes: Buffer, at: number): boolean {
    return bytes.readInt32BE(at) === this.#s0 && bytes.readInt32BE(at + 4) === this.#s1
  }

  #word(bytes: Buffer, at: number): number {
    const [a, b, c, d] = [
      bytes[at] as number,
      bytes[at + 1] as number,
      bytes[at + 2] as number,
      bytes[at + 3] as number,
    ]
    return this.#bigEndian ? (a << 24) | (b << 16) | (c << 8) | d : (d << 24) | (c << 16) | (b << 8) | a
  }
}
