/**
 * What the descriptors of formats and filters have in common. A descriptor says what a kind of file is called and how it
 * begins; what writes and reads it is imported when it is needed, since all of it together is half of what a dump would load.
 */

/** Bytes that tell what a file is: all of these, each at its offset from the beginning, as Latin-1. */
export type Magic = readonly (readonly [at: number, bytes: string])[]

/** What `level` may be, and what it is when nobody asks for one: as with the usual tool. */
export interface Levels {
  readonly least: number
  readonly most: number
  readonly usual: number
}

export function hasMagic(head: Buffer, magic: Magic): boolean {
  return magic.every(([at, bytes]) => head.toString('latin1', at, at + bytes.length) === bytes)
}
