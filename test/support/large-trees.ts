/** Trees that are small in a store and large or deep to whoever walks them. */
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
