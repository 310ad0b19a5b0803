/** Blobrefs of an entry, as {@link DirEntries} gives them: within the text of a directory, or as a list. */
import type { BlobRequest, HashName } from '../content/index.ts'
import { DIGEST_BYTES } from '../content/index.ts'
import { refStride } from './plain-form.ts'

/** The blobrefs of an entry. */
export interface Refs {
  /** The text of the directory, or a list. */
  readonly refs: Uint8Array | readonly string[]
  /** Where in the text the digits of the first one are. */
  readonly refsAt: number
  readonly refCount: number
}

/** No text and no blobrefs. */
export const NO_REFS: Refs = { refs: [], refsAt: 0, refCount: 0 }

/** Add one of them to a request. */
export function requestRef(request: BlobRequest, { refs, refsAt }: Refs, index: number): void {
  if (refs instanceof Uint8Array) request.addHex(refs, refsAt + index * refStride(request.hash))
  else request.add(refs[index] as string)
}

/** One of them. @param hash - the algorithm of the text */
export function refAt({ refs, refsAt }: Refs, index: number, hash: HashName): string {
  if (!(refs instanceof Uint8Array)) return refs[index] as string
  const at = refsAt + index * refStride(hash)
  const text = Buffer.from(refs.buffer, refs.byteOffset, refs.length)
  return `${hash}-${text.toString('latin1', at, at + 2 * DIGEST_BYTES[hash])}`
}

/** All of them. */
export function refList(refs: Refs, hash: HashName): string[] {
  return Array.from({ length: refs.refCount }, (_, index) => refAt(refs, index, hash))
}
