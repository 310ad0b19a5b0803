/**
 * Identifiers of the Joliet hierarchy: the names themselves, in big-endian 16-bit units, at most 64 for each name. Six
 * characters and the control characters are not allowed and become underscores (Joliet specification, "Allowed
 * Character Set"). A longer name is cut, and numbered if that makes two names equal. Rock Ridge holds the exact names.
 *
 * The specification says UCS-2, which ends at U+FFFF. Characters beyond are written as the two units of UTF-16, which
 * all current readers accept.
 */
import type { Identifiers } from './identifiers.ts'
import { DIRECTORY, type MemberTree } from './tree.ts'

const MAX_UNITS = 64
const VERSION = ';1'

export class JolietIdentifiers implements Identifiers {
  readonly #tree: MemberTree
  /** Identifiers that differ from the names. */
  readonly #changed = new Map<number, string>()
  /** 1 for nodes whose UTF-8 bytes are not the units of the identifier. */
  readonly #wide: Uint8Array

  constructor(tree: MemberTree, count: number) {
    this.#tree = tree
    this.#wide = new Uint8Array(count)
  }

  derive(node: number): void {
    const { names, nameAt } = this.#tree
    const from = nameAt[node] as number
    const end = this.#tree.nameEnd(node)
    let wide = end - from > MAX_UNITS
    for (let i = from; i < end && !wide; i++) wide = NOT_PLAIN[names[i] as number] === 1
    if (!wide) return
    this.#wide[node] = 1
    const name = this.#tree.name(node)
    const text = cut(name.replace(NOT_ALLOWED, '_'), MAX_UNITS)
    if (text !== name) this.#changed.set(node, text)
  }

  compare(a: number, b: number): number {
    if (this.#wide[a] === 1 || this.#wide[b] === 1) {
      const left = this.text(a)
      const right = this.text(b)
      return left < right ? -1 : left > right ? 1 : 0
    }
    const { names, nameAt, nameLength } = this.#tree
    const length = Math.min(nameLength[a] as number, nameLength[b] as number)
    for (let i = nameAt[a] as number, j = nameAt[b] as number, end = i + length; i < end; i++, j++) {
      const order = (names[i] as number) - (names[j] as number)
      if (order !== 0) return order
    }
    return (nameLength[a] as number) - (nameLength[b] as number)
  }

  text(node: number): string {
    return this.#changed.get(node) ?? this.#tree.name(node)
  }

  alternative(node: number, n: number): string {
    const number = `~${n}`
    return cut(this.text(node), MAX_UNITS - number.length) + number
  }

  assign(node: number, text: string): void {
    this.#wide[node] = 1
    this.#changed.set(node, text)
  }

  length(node: number): number {
    const units = this.#wide[node] === 1 ? this.text(node).length : (this.#tree.nameLength[node] as number)
    return 2 * (this.#tree.kind[node] === DIRECTORY ? units : units + VERSION.length)
  }

  put(node: number, to: Buffer, at: number): number {
    let end = at
    if (this.#wide[node] === 1) {
      end += to.write(this.text(node), at, 'utf16le')
      to.subarray(at, end).swap16()
    } else {
      const { names, nameAt } = this.#tree
      for (let i = nameAt[node] as number, last = this.#tree.nameEnd(node); i < last; i++) {
        to[end++] = 0
        to[end++] = names[i] as number
      }
    }
    if (this.#tree.kind[node] === DIRECTORY) return end - at
    for (const character of VERSION) {
      to[end++] = 0
      to[end++] = character.charCodeAt(0)
    }
    return end - at
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
const NOT_ALLOWED = /[\u0000-\u001f*/:;?\\]/g

const NOT_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 || String.fromCharCode(byte).search(NOT_ALLOWED) === 0 ? 1 : 0,
)

/** Cut a text to at most `max` units, without half of a surrogate pair at the end. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text
  const last = text.charCodeAt(max - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max)
}
