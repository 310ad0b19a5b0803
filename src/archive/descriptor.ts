/**
 * The types that descriptors of formats and filters share. A descriptor gives the names of a kind of file and its
 * magic. The code that writes and reads it is imported only when needed: together it is half of what a dump would load.
 */

/** Byte strings that identify a kind of file, as Latin-1, each with its offset in the file. All of them must match. */
export type Magic = readonly (readonly [at: number, bytes: string])[]

/** The range of compression levels and the default, as in the usual tool. */
export interface Levels {
  readonly least: number
  readonly most: number
  readonly usual: number
}

export function hasMagic(head: Buffer, magic: Magic): boolean {
  return magic.every(([at, bytes]) => head.toString('latin1', at, at + bytes.length) === bytes)
}
