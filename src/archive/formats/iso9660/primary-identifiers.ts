/**
 * Identifiers of the primary hierarchy: `NAME.EXT` with 8 and 3 d-characters (ECMA-119 7.5, 7.6, level 1), which any
 * reader accepts. Longer ones would be easier to read, but eight levels of 31 characters exceed the 255 that 6.8.2.1
 * allows for a path, and only old readers without Rock Ridge use these names.
 */
import type { Identifiers } from './identifiers.ts'
import { DIRECTORY, type MemberTree } from './tree.ts'

const NAME = 8
const EXTENSION = 3
/** Bytes of `NAME.EXT` padded with spaces, the form that 9.3 compares. */
const WIDTH = NAME + 1 + EXTENSION
const SPACE = 0x20
const DOT = 0x2e
const UNDERSCORE = 0x5f
/** The version number after the name of each file: always 1. */
const VERSION = ';1'

/** Fewest digits of the number that makes an identifier unique, as in mkisofs and libarchive. */
const NUMBER_DIGITS = 3

export class PrimaryIdentifiers implements Identifiers {
  readonly #tree: MemberTree
  /** Texts without the dot of an empty extension, so that a file and a directory cannot differ only by that dot. */
  readonly #texts: Buffer

  constructor(tree: MemberTree, count: number) {
    this.#tree = tree
    this.#texts = Buffer.alloc(count * WIDTH, SPACE)
  }

  derive(node: number): void {
    const { names, nameAt } = this.#tree
    const from = nameAt[node] as number
    const end = this.#tree.nameEnd(node)
    let dot = end
    if (this.#tree.kind[node] !== DIRECTORY) {
      // Not Buffer.lastIndexOf, which would search all names before this one if it has no dot.
      let last = end - 1
      while (last > from && names[last] !== DOT) last--
      if (last > from) dot = last
    }
    const at = node * WIDTH
    const length = this.#dCharacters(from, dot, at, NAME)
    if (dot + 1 < end) {
      this.#texts[at + length] = DOT
      this.#dCharacters(dot + 1, end, at + length + 1, EXTENSION)
    }
  }

  compare(a: number, b: number): number {
    const texts = this.#texts
    // Most siblings differ early, so a call of Buffer.compare costs more than this loop.
    for (let i = a * WIDTH, j = b * WIDTH, end = i + WIDTH; i < end; i++, j++) {
      const order = (texts[i] as number) - (texts[j] as number)
      if (order !== 0) return order
    }
    return 0
  }

  text(node: number): string {
    return this.#texts.toString('latin1', node * WIDTH, (node + 1) * WIDTH).trimEnd()
  }

  alternative(node: number, n: number): string {
    const [name = '', extension] = this.text(node).split('.')
    const number = n.toString(36).toUpperCase().padStart(NUMBER_DIGITS, '0')
    return name.slice(0, NAME - number.length) + number + (extension === undefined ? '' : `.${extension}`)
  }

  assign(node: number, text: string): void {
    this.#texts.fill(SPACE, node * WIDTH, (node + 1) * WIDTH)
    this.#texts.write(text, node * WIDTH, 'latin1')
  }

  length(node: number): number {
    return this.put(node, LENGTH_ONLY, 0)
  }

  put(node: number, to: Buffer, at: number): number {
    let length = 0
    let dotted = this.#tree.kind[node] === DIRECTORY
    for (let i = node * WIDTH, end = i + WIDTH; i < end && this.#texts[i] !== SPACE; i++, length++) {
      const byte = this.#texts[i] as number
      if (byte === DOT) dotted = true
      to[at + length] = byte
    }
    if (this.#tree.kind[node] === DIRECTORY) return length
    // A file has the dot even without an extension (7.5.1).
    if (!dotted) to[at + length++] = DOT
    return length + to.write(VERSION, at + length, 'latin1')
  }

  /** Write part of a name as at most `width` d-characters, one for each character. @returns how many */
  #dCharacters(from: number, end: number, at: number, width: number): number {
    const { names } = this.#tree
    let length = 0
    for (let i = from; i < end && length < width; i++) {
      const byte = names[i] as number
      // The second and further bytes of a character in UTF-8.
      if (byte >> 6 === 2) continue
      this.#texts[at + length++] = D_CHARACTER[byte] as number
    }
    return length
  }
}

const LENGTH_ONLY = Buffer.alloc(WIDTH + 1 + VERSION.length)

/** The d-character for each byte: letters in upper case, digits, and an underscore for everything else (7.4.1). */
const D_CHARACTER = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte).toUpperCase()
  return /^[A-Z0-9]$/.test(character) ? character.charCodeAt(0) : UNDERSCORE
})
