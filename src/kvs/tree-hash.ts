/**
 * The root that a restore of an archive makes, computed while the archive is written. A restore stores each value anew
 * ({@link INLINE_BYTES}, {@link pieceBytesOf}), and its directories hold nothing but what is in the archive. So the root
 * is seldom the one that was dumped. It depends on every key, every value and every link.
 *
 * Entries come depth first, the names of each directory in byte order, as a walk yields them. The texts of the
 * directories on the way to the last entry stand one after another in one buffer, the deepest at its end. When it is left,
 * its blobref takes its place. The blob of a value that is one blob has been verified, and is not hashed again; the text
 * of such an entry is mostly copied as it is. All this costs 1 to 2 µs for a key.
 */
import { createHash, hash as digestHex } from 'node:crypto'
import { DIGEST_BYTES, type HashName } from '../content/index.ts'
import type { Dir, SymlinkEntry, ValueEntry } from './entry.ts'
import { COMMA, DATA, HEAD, QUOTE, REF_START, TAIL, VALREF_END } from './plain-form.ts'
import { type Refs, refAt } from './refs.ts'
import { linkOf, linkText } from './treeobj.ts'
import { dirrefText, memberText, symlinkText, valrefText, valText } from './treeobj-encode.ts'
import { INLINE_BYTES, MAX_BLOB_BYTES, pieceBytesOf } from './value-form.ts'

/** The parts of a value up to this size are copied together to be hashed by one call, which costs less. */
const JOINED_BYTES = 64 << 10

/** Bytes of the buffer of texts at first. */
const FIRST_BYTES = 64 << 10

/** Computes the root of a restore. */
export class TreeHash {
  readonly #hash: HashName
  readonly #isUnverified: boolean
  /** From the name of an entry to the digits of its blobref, and from those to its end. */
  readonly #digitsAfterName: number
  readonly #endAfterDigits: number
  /** The directories on the way to the last entry, from the root on, and where the text of each begins. */
  readonly #dirs: Dir[] = []
  readonly #starts: number[] = []
  #text = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0
  readonly #joined = Buffer.allocUnsafeSlow(JOINED_BYTES)
  #isText = true

  /**
   * @param hash - the algorithm of the blobrefs
   * @param isUnverified - true when values may have other bytes than their blobrefs say: then all are hashed
   */
  constructor(hash: HashName, isUnverified = false) {
    this.#hash = hash
    this.#isUnverified = isUnverified
    this.#digitsAfterName = DATA.length + 1 + REF_START[hash].length
    this.#endAfterDigits = 2 * DIGEST_BYTES[hash] + 1 + VALREF_END.length
  }

  /** Add a value that is in memory, or that is one blob. */
  value(entry: ValueEntry): void {
    const { dir, name, size, parts, blobs, refs } = entry
    if (size < INLINE_BYTES) this.#put(dir, name, valText(this.#join(parts ?? [], size)))
    else if (blobs === 1 && size <= MAX_BLOB_BYTES && !this.#isUnverified) this.#putRef(dir, name, refs)
    else this.#put(dir, name, valrefText([`${this.#hash}-${this.#digest(parts ?? [], size)}`]))
  }

  /** Add a value, and pass its bytes on as they are streamed. */
  stream(entry: ValueEntry, bytes: AsyncIterable<readonly Uint8Array[]>): AsyncIterable<readonly Uint8Array[]> {
    if (entry.blobs !== 1 || entry.size > MAX_BLOB_BYTES || this.#isUnverified) return this.#hashed(entry, bytes)
    this.value(entry)
    return bytes
  }

  /** Add a link. */
  link(entry: SymlinkEntry): void {
    // An archive has no place for the namespace but the text of the target.
    const { target, namespace } = linkOf(linkText(entry))
    if (!target.isWellFormed() || !(namespace ?? '').isWellFormed()) this.#isText = false
    this.#put(entry.dir, entry.name, symlinkText(target, namespace))
  }

  /**
   * The blobref of the root, of all that has been added. Nothing can be added afterwards.
   *
   * @returns undefined when a name or a target is not Unicode text: an archive holds another text in its place
   */
  root(): string | undefined {
    if (!this.#isText) return undefined
    while (this.#dirs.length > 1) this.#leave()
    if (this.#dirs.length === 0) this.#begin()
    return this.#end()
  }

  #put(dir: Dir, name: string, text: string): void {
    if (this.#dirs.at(-1) !== dir) this.#enter(dir)
    this.#add(name, text)
  }

  /** Add a value that is one blob. */
  #putRef(dir: Dir, name: string, refs: Refs): void {
    if (this.#dirs.at(-1) !== dir) this.#enter(dir)
    const source = refs.refs
    // The text is in Flux's form, so a quote is here unless the name takes more bytes than it has characters.
    const start = refs.refsAt - this.#digitsAfterName - name.length - 1
    if (!(source instanceof Buffer) || source[start] !== QUOTE) {
      this.#add(name, valrefText([refAt(refs, 0, this.#hash)]))
      return
    }
    const end = refs.refsAt + this.#endAfterDigits
    this.#comma(end - start)
    this.#length += source.copy(this.#text, this.#length, start, end)
  }

  #add(name: string, text: string): void {
    if (!name.isWellFormed()) this.#isText = false
    const member = memberText(name, text)
    // UTF-8 takes up to three bytes for a character.
    this.#comma(3 * member.length)
    this.#length += this.#text.write(member, this.#length)
  }

  /** Make room for an entry, and put a comma before it if it is not the first one. */
  #comma(bytes: number): void {
    this.#reserve(bytes + 1)
    if (this.#length === (this.#starts.at(-1) as number) + HEAD.length) return
    this.#text[this.#length++] = COMMA
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#text.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#text.length, this.#length + bytes))
    this.#text.copy(larger, 0, 0, this.#length)
    this.#text = larger
  }

  /** Leave the directories that do not hold this one, and enter those on the way to it. */
  #enter(dir: Dir): void {
    const dirs = this.#dirs
    const entered: Dir[] = []
    let common: Dir | undefined = dir
    while (common !== undefined && dirs[common.depth] !== common) {
      entered.push(common)
      common = common.parent
    }
    const kept = common === undefined ? 0 : common.depth + 1
    while (dirs.length > kept) this.#leave()
    for (let next = entered.pop(); next !== undefined; next = entered.pop()) {
      dirs.push(next)
      this.#begin()
    }
  }

  #leave(): void {
    const { name } = this.#dirs.pop() as Dir
    this.#add(name, dirrefText(this.#end()))
  }

  /** Begin the text of a directory. */
  #begin(): void {
    this.#starts.push(this.#length)
    this.#reserve(HEAD.length)
    this.#length += HEAD.copy(this.#text, this.#length)
  }

  /** End the text of the last directory, and take it away. @returns its blobref */
  #end(): string {
    this.#reserve(TAIL.length)
    this.#length += TAIL.copy(this.#text, this.#length)
    const start = this.#starts.pop() as number
    const hex = digestHex(this.#hash, this.#text.subarray(start, this.#length), 'hex')
    this.#length = start
    return `${this.#hash}-${hex}`
  }

  #join(parts: readonly Uint8Array[], size: number): Uint8Array {
    if (parts.length === 1) return parts[0] as Uint8Array
    let at = 0
    for (const part of parts) {
      this.#joined.set(part, at)
      at += part.length
    }
    return this.#joined.subarray(0, size)
  }

  #digest(parts: readonly Uint8Array[], size: number): string {
    if (parts.length === 1 || size <= JOINED_BYTES) return digestHex(this.#hash, this.#join(parts, size), 'hex')
    const digest = createHash(this.#hash)
    for (const part of parts) digest.update(part)
    return digest.digest('hex')
  }

  async *#hashed(entry: ValueEntry, bytes: AsyncIterable<readonly Uint8Array[]>) {
    const pieceBytes = pieceBytesOf(entry.size)
    const blobrefs: string[] = []
    let digest = createHash(this.#hash)
    let left = Math.min(pieceBytes, entry.size)
    let after = entry.size - left
    for await (const parts of bytes) {
      for (const part of parts) {
        for (let at = 0; at < part.length; ) {
          const length = Math.min(left, part.length - at)
          // More bytes than declared: the writer of the archive refuses them.
          if (length === 0) break
          digest.update(part.subarray(at, at + length))
          at += length
          left -= length
          if (left > 0) continue
          blobrefs.push(`${this.#hash}-${digest.digest('hex')}`)
          digest = createHash(this.#hash)
          left = Math.min(pieceBytes, after)
          after -= left
        }
      }
      yield parts
    }
    this.#put(entry.dir, entry.name, valrefText(blobrefs))
  }
}
