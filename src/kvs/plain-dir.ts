/**
 * A directory read from its bytes, without JSON.parse and without an object for each entry: most of the time of a walk
 * would go there. It reads only the form that Flux writes; any other directory is decoded by {@link decodeDir}, which
 * also words the errors.
 */
import type { HashName } from '../content/index.ts'
import { type DirEntries, ENTRY, type EntryType } from './dir-entries.ts'
import {
  BRACKET,
  COMMA,
  checkPlainForm,
  compareNames,
  DATA,
  DIRREF_END,
  HEAD,
  LINK_END,
  NAMESPACE,
  NAMESPACE_END,
  type PlainText,
  QUOTE,
  REF_START,
  refStride,
  TARGET,
  VAL_END,
  VALREF_END,
} from './plain-form.ts'
import type { Symlink, Val } from './treeobj.ts'

/** Where the type is in the end of an entry with blobrefs, and the first letter of `dirref`. */
const TYPE_AT = DIRREF_END.indexOf('dirref')
const D = 0x64

/** Names up to this length are looked up among those met before: most directories have entries of a few names. */
const SHORT_NAME = 16
const KNOWN_NAMES = 256

export class PlainDir implements DirEntries {
  type: EntryType = ENTRY.VAL
  /** Where the name is in the bytes. */
  nameStart = 0
  nameEnd = 0
  /** Where the digits of the first blobref are in the bytes. */
  refsAt = 0
  refCount = 0
  /** Number of entries. */
  readonly count: number
  readonly isAscii: boolean
  readonly #bytes: Buffer
  readonly #hash: HashName
  /** From the start of a blobref to its digits, and to the start of the next. */
  readonly #refStart: number
  readonly #refStride: number
  #visited = 0
  #at = HEAD.length
  /** Where the entries begin, when they are not visited in the order of the text. */
  #starts: Uint32Array | undefined

  /**
   * The directory in a blob.
   *
   * @param bytes - are kept
   * @param hash - the algorithm of the blobrefs
   * @param reverse - visit the entries from the last to the first
   * @returns undefined when it is not in Flux's form, or has a name twice
   */
  static of(bytes: Buffer, hash: HashName, reverse = false): PlainDir | undefined {
    const text = checkPlainForm(bytes, hash)
    if (text === undefined) return undefined
    const dir = new PlainDir(bytes, text, hash)
    if (!text.isSorted && !dir.#sort()) return undefined
    if (reverse) dir.#reverse()
    return dir
  }

  private constructor(bytes: Buffer, { count, isAscii }: PlainText, hash: HashName) {
    this.#bytes = bytes
    this.#hash = hash
    this.isAscii = isAscii
    this.#refStart = REF_START[hash].length
    this.#refStride = refStride(hash)
    this.count = count
  }

  get hasNext(): boolean {
    return this.#visited < this.count
  }

  next(): boolean {
    if (this.#visited === this.count) return false
    if (this.#starts) this.#at = this.#starts[this.#visited] as number
    this.#visited++
    this.#read()
    return true
  }

  get name(): string {
    return this.isAscii
      ? asciiName(this.#bytes, this.nameStart, this.nameEnd)
      : this.#text(this.nameStart, this.nameEnd)
  }

  get refs(): Buffer {
    return this.#bytes
  }

  get obj(): Val | Symlink {
    const bytes = this.#bytes
    let at = this.nameEnd + DATA.length
    if (this.type === ENTRY.VAL) {
      return { type: 'val', ver: 1, data: this.#text(at + 1, this.#at - 1 - VAL_END.length) }
    }
    const end = this.#at - 1 - LINK_END.length
    if (bytes[at + 2] === NAMESPACE[2]) {
      at += NAMESPACE.length
      const namespaceEnd = bytes.indexOf(QUOTE, at)
      const target = this.#text(namespaceEnd + NAMESPACE_END.length, end)
      return { type: 'symlink', ver: 1, data: { namespace: this.#text(at, namespaceEnd), target } }
    }
    return { type: 'symlink', ver: 1, data: { target: this.#text(at + TARGET.length, end) } }
  }

  has(name: string): boolean {
    const bytes = Buffer.from(name)
    const all = new PlainDir(this.#bytes, { count: this.count, isAscii: this.isAscii, isSorted: true }, this.#hash)
    while (all.next()) if (bytes.equals(this.#bytes.subarray(all.nameStart, all.nameEnd))) return true
    return false
  }

  /** Read the entry that begins at `#at`, and go to the next one. */
  #read(): void {
    const bytes = this.#bytes
    let at = this.#at + 1
    this.nameStart = at
    while (bytes[at] !== QUOTE) at++
    this.nameEnd = at
    at += DATA.length
    const first = bytes[at]
    if (first === BRACKET) {
      this.refsAt = at + 1 + this.#refStart
      at += this.#refStride
      let refs = 1
      for (; bytes[at] === COMMA; at += this.#refStride) refs++
      this.refCount = refs
      this.type = bytes[at + TYPE_AT] === D ? ENTRY.DIRREF : ENTRY.VALREF
      at += VALREF_END.length
    } else if (first === QUOTE) {
      this.type = ENTRY.VAL
      at = bytes.indexOf(QUOTE, at + 1) + VAL_END.length
    } else {
      this.type = ENTRY.SYMLINK
      if (bytes[at + 2] === NAMESPACE[2]) at = bytes.indexOf(QUOTE, at + NAMESPACE.length) + NAMESPACE_END.length
      else at += TARGET.length
      at = bytes.indexOf(QUOTE, at) + LINK_END.length
    }
    // The comma before the next entry.
    this.#at = at + 1
  }

  /** Visit the names in ascending order. @returns false when one is there twice */
  #sort(): boolean {
    const bytes = this.#bytes
    const starts = this.#allStarts()
    const endOf = (start: number) => bytes.indexOf(QUOTE, start + 1)
    const compare = (a: number, b: number) => compareNames(bytes, a + 1, endOf(a), b + 1, endOf(b))
    this.#starts = starts.sort(compare)
    return starts.every((start, i) => i === 0 || compare(starts[i - 1] as number, start) < 0)
  }

  #reverse(): void {
    this.#starts = (this.#starts ?? this.#allStarts()).reverse()
  }

  #allStarts(): Uint32Array {
    const starts = new Uint32Array(this.count)
    for (let i = 0; i < this.count; i++) {
      starts[i] = this.#at
      this.#read()
    }
    return starts
  }

  #text(start: number, end: number): string {
    return this.isAscii ? this.#bytes.toString('latin1', start, end) : this.#bytes.toString('utf8', start, end)
  }
}

const known: (string | undefined)[] = new Array(KNOWN_NAMES).fill(undefined)

/** A name as a string: the one made before, if it has been met. */
function asciiName(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  if (length > SHORT_NAME) return bytes.toString('latin1', start, end)
  let hash = length
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0
  const place = (hash ^ (hash >>> 8)) & (KNOWN_NAMES - 1)
  const name = known[place]
  if (name !== undefined && isName(name, bytes, start, length)) return name
  const met = bytes.toString('latin1', start, end)
  known[place] = met
  return met
}

function isName(name: string, bytes: Buffer, start: number, length: number): boolean {
  if (name.length !== length) return false
  for (let i = 0; i < length; i++) if (name.charCodeAt(i) !== bytes[start + i]) return false
  return true
}
