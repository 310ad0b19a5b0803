/** Trees that are small in a store and large or deep to whoever walks them. */
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { Blobs } from './trees.ts'

const dirref = (blobref: string) => `{"data":["${blobref}"],"type":"dirref","ver":1}`
const dirText = (entries: Record<string, string>) =>
  `{"data":{${Object.entries(entries)
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join(',')}},"type":"dir","ver":1}`

/**
 * A chain of directories, each in the one before, all called `d`.
 *
 * @param bottom - the blobref of the last directory
 * @returns the rootref; `bottom` is `levels` directories below it
 */
export function chain(blobs: Blobs, bottom: string, levels: number): string {
  let rootref = bottom
  for (let n = 0; n < levels; n++) rootref = blobs.store(dirText({ d: dirref(rootref) }))
  return rootref
}

/** The same, but each refers to the next one twice, as `a` and as `b`: 2^levels keys lead to `bottom`. */
export function doubled(blobs: Blobs, bottom: string, levels: number): string {
  let rootref = bottom
  for (let n = 0; n < levels; n++) rootref = blobs.store(dirText({ a: dirref(rootref), b: dirref(rootref) }))
  return rootref
}

/** A directory with many entries that all are the same object. @param text - of the object */
export function repeated(blobs: Blobs, text: string, count: number): string {
  return blobs.store(dirText(Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, text]))))
}

/** A blob of zeros that begins with one byte of its own, as `content.sqlite` holds it: a 255th of its size. */
export interface Expanding {
  blobref: string
  size: number
  block: Uint8Array
}

/** @param size - bytes, a thousand at least */
export function expanding(first: number, size: number): Expanding {
  const hash = createHash('sha1').update(Buffer.of(first))
  const zeros = Buffer.alloc(1 << 20)
  for (let left = size - 1; left > 0; left -= zeros.length) hash.update(zeros.subarray(0, left))
  // Two literals, then a match with the byte before, and the five literals that every block ends in.
  const match = size - 2 - 5 - 4 - 15
  const lengths = Buffer.alloc(Math.floor(match / 255) + 1, 255)
  lengths[lengths.length - 1] = match % 255
  const block = Buffer.concat([Buffer.of(0x2f, first, 0, 1, 0), lengths, Buffer.of(0x50, 0, 0, 0, 0, 0)])
  return { blobref: `sha1-${hash.digest('hex')}`, size, block }
}

/** Add blobs to a `content.sqlite` without ever having them whole. */
export function insertExpanding(path: string, blobs: readonly Expanding[]): void {
  const db = new DatabaseSync(path)
  const insert = db.prepare('INSERT INTO objects (hash,size,object) VALUES (CAST(? AS TEXT),?,?)')
  for (const { blobref, size, block } of blobs) insert.run(Buffer.from(blobref.slice(5), 'hex'), size, block)
  db.close()
}
