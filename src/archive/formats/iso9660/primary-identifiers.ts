/**
 * Identifiers of the primary hierarchy: `NAME.EXT` with 8 and 3 d-characters (ECMA-119 7.5, 7.6, level 1), which any reader
 * takes. Longer ones would be easier to read, but eight levels of 31 characters are more than the 255 that 6.8.2.1 allows a
 * path, and whoever looks at these names has no Rock Ridge, and so an old reader.
 */
import type { Identifiers } from './identifiers.ts'
import { DIRECTORY, type MemberTree } from './tree.ts'

const NAME = 8
const EXTENSION = 3
/** `NAME.EXT`, filled up with spaces: as 9.3 compares them. */
const WIDTH = NAME + 1 + EXTENSION
const SPACE = 0x20
const DOT = 0x2e
const UNDERSCORE = 0x5f
/** What every file has behind its name: the one version there is. */
const VERSION = ';1'

/** Digits that a number which makes an identifier unique has at least, as mkisofs and libarchive write it. */
const NUMBER_DIGITS = 3

export class PrimaryIdentifiers implements Identifiers {
  readonly #tree: MemberTree
  /** Without the dot of an empty extension, so that a file and a directory cannot differ by that alone. */
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
      // No search of the buffer: without a dot, that would go on through all names before this one.
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
    // Most siblings differ early, and a call of Buffer.compare costs more than the loop.
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
    // The dot is there even when nothing follows it (7.5.1).
    if (!dotted) to[at + length++] = DOT
    return length + to.write(VERSION, at + length, 'latin1')
  }

  /** Write a part of a name as at most `width` d-characters, one for each character. @returns how many */
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
