/**
 * Finds the blobrefs in the blob of a directory, without making an object for each entry. It reads the JSON that Flux
 * writes: compact, and with sorted members. Any other JSON is decoded as usual, so the result is the same.
 *
 * @see RFC 11; flux-core `src/common/libkvs/treeobj.c`, `treeobj_encode`
 */
import { blobrefHash, blobrefHex, DIGEST_BYTES, type DigestList, type HashName } from '../content/index.ts'
import { badDirref, badEntry, decodeDir } from './tree-faults.ts'
import { type DirObj, dirBlobref } from './treeobj.ts'

/** Where the references of directories are collected. */
export interface References {
  /** The algorithm of the store. */
  readonly hash: HashName
  /** Blobs of directories. */
  readonly dirs: DigestList
  /** Blobs of values. */
  readonly values: DigestList
}

/**
 * Add the references of a directory to `found`.
 *
 * @param blob - the directory
 * @param blobref - of the directory, for messages
 * @throws {TreeError} `bad-treeobj`, `not-a-dir` it is not a directory, or an entry of it is not a tree object
 */
export function findReferences(blob: Uint8Array, blobref: () => string, found: References): void {
  if (scan(blob, found)) return
  decode(decodeDir(blob, '', blobref()), found)
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const ARRAY = 0x5b
const ARRAY_END = 0x5d
const OBJECT = 0x7b
const OBJECT_END = 0x7d

/** How every tree object begins. */
const HEAD = ascii('{"data":')
/** How each type ends. */
const VAL = ascii(',"type":"val","ver":1}')
const VALREF = ascii(',"type":"valref","ver":1}')
const DIRREF = ascii(',"type":"dirref","ver":1}')
const DIR = ascii(',"type":"dir","ver":1}')
const SYMLINK = ascii(',"type":"symlink","ver":1}')
/** How the data of a link begins. */
const TARGET = ascii('{"target":"')
const NAMESPACE = ascii('{"namespace":"')
/** Between the two members of its data. */
const AND_TARGET = ascii(',"target":"')

const PREFIX: Readonly<Record<HashName, Uint8Array>> = { sha1: ascii('"sha1-'), sha256: ascii('"sha256-') }

const IS_HEX = Uint8Array.from({ length: 256 }, (_, byte) => Number(/[0-9a-f]/.test(String.fromCharCode(byte))))

/** @returns false when this is not what Flux writes; references up to there have been added */
function scan(blob: Uint8Array, found: References): boolean {
  let at = after(blob, 0, HEAD)
  if (at < 0 || blob[at++] !== OBJECT) return false
  let depth = 1
  while (true) {
    if (blob[at] === QUOTE) {
      at = afterString(blob, at)
      if (at < 0 || blob[at] !== COLON) return false
      at = after(blob, at + 1, HEAD)
      if (at < 0) return false
      const first = blob[at]
      if (first === QUOTE) at = after(blob, afterString(blob, at), VAL)
      else if (first === ARRAY) at = afterArray(blob, at + 1, found)
      else if (first === OBJECT) {
        const link = afterLink(blob, at)
        if (link === undefined) {
          depth++
          at++
          if (blob[at] !== OBJECT_END) continue
        } else at = link
      } else return false
      if (at < 0) return false
    } else if (blob[at] !== OBJECT_END) return false
    while (blob[at] === OBJECT_END) {
      at = after(blob, at + 1, DIR)
      if (at < 0) return false
      if (--depth === 0) return at === blob.length
    }
    if (blob[at++] !== COMMA || blob[at] !== QUOTE) return false
  }
}

/** The position after a text; -1 when it is not there, or `at` is negative. */
function after(blob: Uint8Array, at: number, text: Uint8Array): number {
  if (at < 0) return -1
  for (let i = 0; i < text.length; i++) if (blob[at + i] !== text[i]) return -1
  return at + text.length
}

/** The position after a string. @param at - its first quote */
function afterString(blob: Uint8Array, at: number): number {
  for (let i = at + 1; i < blob.length; i++) {
    if (blob[i] === QUOTE) return i + 1
    if (blob[i] === BACKSLASH) i++
  }
  return -1
}

/** Add the blobrefs of an array. @param start - after its bracket. @returns the position after the tree object, or -1 */
function afterArray(blob: Uint8Array, start: number, { hash, dirs, values }: References): number {
  const prefix = PREFIX[hash]
  const digits = DIGEST_BYTES[hash] * 2
  const width = prefix.length + digits + 2
  let at = start
  while (true) {
    const hex = after(blob, at, prefix)
    if (hex < 0) return -1
    for (let i = hex; i < hex + digits; i++) if (IS_HEX[blob[i] as number] !== 1) return -1
    if (blob[hex + digits] !== QUOTE) return -1
    at += width
    const next = blob[at - 1]
    if (next === ARRAY_END) break
    if (next !== COMMA) return -1
  }
  const value = after(blob, at, VALREF)
  const end = value >= 0 ? value : after(blob, at, DIRREF)
  // Flux walks no dirref with several blobrefs.
  if (end < 0 || (value < 0 && at - start !== width)) return -1
  const list = value >= 0 ? values : dirs
  for (let hex = start + prefix.length; hex < at; hex += width) list.pushHex(blob, hex)
  return end
}

/** The position after a link; -1 when it is not as Flux writes it; undefined when it is no link. */
function afterLink(blob: Uint8Array, start: number): number | undefined {
  let at = after(blob, start, NAMESPACE)
  if (at >= 0) at = after(blob, afterString(blob, at - 1), AND_TARGET)
  else at = after(blob, start, TARGET)
  if (at < 0) return undefined
  at = afterString(blob, at - 1)
  return at >= 0 && blob[at] === OBJECT_END ? after(blob, at + 1, SYMLINK) : -1
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** Add the references of a decoded directory and of its inline directories. */
function decode(top: DirObj, found: References): void {
  const open = [top]
  for (let dir = open.pop(); dir; dir = open.pop()) {
    for (const [name, obj] of Object.entries(dir.data)) {
      if (obj.type === 'invalid') throw badEntry(name, obj)
      if (obj.type === 'dir') open.push(obj)
      else if (obj.type === 'dirref') {
        const blobref = dirBlobref(obj)
        if (blobref === undefined) throw badDirref(name)
        add(blobref, found.dirs, found)
      } else if (obj.type === 'valref') for (const blobref of obj.data) add(blobref, found.values, found)
    }
  }
}

function add(blobref: string, list: DigestList, { hash }: References): void {
  // A blobref of the other algorithm cannot be in this store. Ask for a digest that no blob has.
  const hex = blobrefHash(blobref) === hash ? blobrefHex(blobref) : '0'.repeat(DIGEST_BYTES[hash] * 2)
  list.push(Buffer.from(hex, 'hex'))
}
