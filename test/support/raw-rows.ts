/** Databases of known blobs, and which of these are still in the bytes of a file: found without any knowledge of cells. */
import { hash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { random } from '../../bench/random.ts'
import { lz4EncodeBlock } from '../../src/bytes/index.ts'
import type { HashName } from '../../src/content/index.ts'

/** A blob, and how it is stored. */
export interface Row {
  digest: Buffer
  blob: Buffer
  /** -1 when it is stored as it is. */
  size: number
  stored: Buffer
}

/** Some bytes that occur nowhere else. */
export function noise(rand: () => number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = Math.floor(rand() * 256)
  return bytes
}

/** Blobs as an instance stores them: mostly short, some long, some compressed. */
export function someRows(count: number, { hash: name = 'sha1' as HashName, seed = 1, longest = 20_000 } = {}): Row[] {
  const rand = random(seed)
  return Array.from({ length: count }, (_, n) => {
    const length = Math.floor(rand() ** 4 * longest) + 8
    if (n % 3 !== 0) return rowOf(noise(rand, length), name)
    // Half of it compresses well.
    return rowOf(Buffer.concat([noise(rand, length), Buffer.alloc(length, `${n} is a number. `)]), name)
  })
}

export function rowOf(blob: Buffer, name: HashName = 'sha1'): Row {
  const digest = Buffer.from(hash(name, blob, 'hex'), 'hex')
  const packed = Buffer.alloc(blob.length)
  const bytes = blob.length < 256 ? 0 : lz4EncodeBlock(blob, 0, blob.length, packed, 0, blob.length - 1)
  if (bytes === 0) return { digest, blob, size: -1, stored: blob }
  return { digest, blob, size: blob.length, stored: packed.subarray(0, bytes) }
}

/** How to make a database. */
export interface DatabaseOptions {
  pageBytes?: number
  /** The columns of the newest schema, or of that before. */
  hasEpoch?: boolean
  /** The hash as a blob, as the first versions stored it. */
  isBlobHash?: boolean
  checkpoints?: readonly string[]
  pragmas?: string
}

/** Write a database. @returns it, still open */
export function openRows(path: string, rows: readonly Row[], options: DatabaseOptions = {}): DatabaseSync {
  const { pageBytes = 4096, hasEpoch = true, isBlobHash = false, checkpoints = [], pragmas = '' } = options
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA page_size = ${pageBytes}; ${pragmas}`)
  db.exec(`CREATE TABLE objects(hash BLOB PRIMARY KEY, size INT, object BLOB${hasEpoch ? ', epoch INT DEFAULT 0' : ''});
    CREATE TABLE checkpt_v2(id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, value TEXT); BEGIN`)
  const insert = db.prepare(
    `INSERT INTO objects (hash, size, object) VALUES (${isBlobHash ? '?' : 'CAST(? AS TEXT)'}, ?, ?)`,
  )
  for (const { digest, size, stored } of rows) insert.run(digest, size, stored)
  for (const value of checkpoints) db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)').run(value)
  db.exec('COMMIT')
  return db
}

/** Stretches of a file. */
export type Ranges = [from: number, to: number][]

/**
 * Where the bytes of a row stand in a file: its digest, its size and what is stored of the blob, and before each part of it
 * the few bytes that say what follows. Undefined when they are not all there.
 */
export function rangesOf(file: Buffer, { digest, size, stored }: Row, pageBytes = 4096): Ranges | undefined {
  const head = Buffer.concat([digest, integer(size)])
  for (let at = file.indexOf(head); at >= 0; at = file.indexOf(head, at + 1)) {
    const from = at + head.length
    const pageEnd = from - (from % pageBytes) + pageBytes
    let local = 0
    while (from + local < pageEnd && local < stored.length && file[from + local] === stored[local]) local++
    if (local === stored.length) return [[at - 10, from + local]]
    // The bytes after it, the number of a page, may begin as the rest of the blob does.
    for (let least = Math.max(0, local - 3); local >= least; local--) {
      const rest = pagesOf(file, stored.subarray(local), pageBytes)
      if (rest) return [[at - 10, from + local + 4], ...rest]
    }
  }
  return undefined
}

/** Where the pages are that hold some bytes one after another. */
function pagesOf(file: Buffer, bytes: Buffer, pageBytes: number): Ranges | undefined {
  const ranges: Ranges = []
  for (let done = 0; done < bytes.length; done += pageBytes - 4) {
    const piece = bytes.subarray(done, done + pageBytes - 4)
    const at = pageWith(file, piece, pageBytes)
    if (at < 0) return undefined
    ranges.push([at - 4, at + piece.length])
  }
  return ranges
}

/** True when some stretches of two files are the same. */
export function areSame(a: Buffer, b: Buffer, ranges: Ranges): boolean {
  return ranges.every(([from, to]) => to <= b.length && a.compare(b, from, to, from, to) === 0)
}

/** A page that has some bytes after its first four. */
function pageWith(file: Buffer, piece: Buffer, pageBytes: number): number {
  let at = file.indexOf(piece)
  while (at >= 0 && at % pageBytes !== 4) at = file.indexOf(piece, at + 1)
  return at
}

/** An integer as a record holds it. */
function integer(value: number): Buffer {
  if (value === 0 || value === 1) return Buffer.alloc(0)
  const bytes = [1, 2, 3, 4, 6].find((bytes) => value < 2 ** (8 * bytes - 1)) as number
  const buffer = Buffer.alloc(bytes)
  buffer.writeIntBE(value, 0, bytes)
  return buffer
}
