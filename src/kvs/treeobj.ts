/**
 * Tree objects (RFC 11): the JSON objects that make up a KVS namespace. This module accepts what Flux's own readers
 * accept, and also a NUL in a name, which they refuse: to refuse it would lose data.
 */
import { constants, isAscii } from 'node:buffer'
import { isBlobref } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { sortNames } from './name-order.ts'

/** An entry of a directory, or a directory itself. @see RFC 11 */
export type TreeObj = Val | Valref | DirObj | Dirref | Symlink

/** An entry of a directory, valid or not. */
export type EntryObj = TreeObj | Invalid

/** A value, base64 encoded. */
export interface Val {
  readonly type: 'val'
  readonly ver: 1
  readonly data: string
}
/** A value in blobs, to be joined in order. */
export interface Valref {
  readonly type: 'valref'
  readonly ver: 1
  readonly data: readonly string[]
}
/** A directory: an object for each name. */
export interface DirObj {
  readonly type: 'dir'
  readonly ver: 1
  readonly data: Readonly<Record<string, EntryObj>>
}
/** A directory in a blob. Flux writes exactly one blobref, and does not walk a dirref with more. */
export interface Dirref {
  readonly type: 'dirref'
  readonly ver: 1
  readonly data: readonly string[]
}
/** A symbolic link; `target` is a key from the root of the namespace. */
export interface Symlink {
  readonly type: 'symlink'
  readonly ver: 1
  readonly data: { readonly target: string; readonly namespace?: string }
}
/**
 * An entry of a directory that is not a tree object, for example one of a later version or an unknown type. Only this
 * name is bad: the rest of the directory can be read.
 */
export interface Invalid {
  readonly type: 'invalid'
  /** What is wrong with it. */
  readonly reason: string
  /** The decoded JSON of the entry. */
  readonly json: unknown
}

/** The largest directory blob that can be decoded: JavaScript has no longer strings. */
export const MAX_DIR_BYTES = constants.MAX_STRING_LENGTH

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decode and check the tree object in a blob.
 *
 * @throws {FluxError} `EPROTO` not UTF-8, not JSON, or not a tree object; the message is only the reason
 */
export function decodeTreeObj(blob: Uint8Array): TreeObj {
  return asTreeObj(parse(blob))
}

/** Like {@link decodeTreeObj}, but entries that are not tree objects become {@link Invalid}. */
export function decodeWithInvalid(blob: Uint8Array): TreeObj {
  return asWithInvalid(parse(blob))
}

/**
 * Check a value decoded from JSON.
 *
 * @throws {FluxError} `EPROTO` it is not a tree object; the message is only the reason
 */
export function asTreeObj(value: unknown): TreeObj {
  return checked(value, refuse)
}

/** Like {@link asTreeObj}, but entries that are not tree objects become {@link Invalid}, in place. */
export function asWithInvalid(value: unknown): TreeObj {
  return checked(value, replace)
}

function parse(blob: Uint8Array): unknown {
  try {
    return JSON.parse(
      isAscii(blob) ? Buffer.from(blob.buffer, blob.byteOffset, blob.length).toString('latin1') : decoder.decode(blob),
    )
  } catch (error) {
    throw new FluxError('EPROTO', `not JSON: ${(error as Error).message}`, { cause: error })
  }
}

type Entries = Record<string, unknown>

function refuse(_entries: Entries, _name: string, reason: string): void {
  throw new FluxError('EPROTO', reason)
}

function replace(entries: Entries, name: string, reason: string): void {
  entries[name] = { type: 'invalid', reason, json: entries[name] } satisfies Invalid
}

/**
 * Check a tree object and everything in it, without recursion.
 *
 * @param onInvalid - called for each entry of a directory that is not a tree object
 * @throws {FluxError} `EPROTO` `value` itself is not a tree object
 */
function checked(value: unknown, onInvalid: (entries: Entries, name: string, reason: string) => void): TreeObj {
  const wrong = reasonAgainst(value)
  if (wrong !== undefined) throw new FluxError('EPROTO', wrong)
  const top = value as TreeObj
  if (top.type !== 'dir') return top
  const open: Entries[] = [top.data]
  for (let entries = open.pop(); entries; entries = open.pop()) {
    for (const name in entries) {
      const entry = entries[name]
      const reason = name.isWellFormed() ? reasonAgainst(entry) : 'a name that is not Unicode text'
      if (reason !== undefined) onInvalid(entries, name, reason)
      else if ((entry as EntryObj).type === 'dir') open.push((entry as DirObj).data)
    }
  }
  return top
}

/** Why a value is not a tree object; undefined when it is one. The entries of a directory are not checked. */
function reasonAgainst(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a tree object is not an object'
  const { ver, type, data } = value as Record<string, unknown>
  let members = 0
  for (const _ in value) members++
  if (ver !== 1 || members !== 3 || data === undefined) return 'not a tree object of version 1 (RFC 11)'
  if (type === 'val') return typeof data === 'string' ? undefined : 'a val without a string'
  if (type === 'valref' || type === 'dirref') {
    if (!Array.isArray(data) || data.length === 0) return `a ${type} without a blobref`
    for (const blobref of data) if (!isBlobref(blobref)) return `a ${type} with something that is no blobref`
    return undefined
  }
  if (type === 'symlink') {
    const { target, namespace } = (data ?? {}) as Record<string, unknown>
    if (typeof target !== 'string') return 'a symlink without a target'
    if (namespace !== undefined && typeof namespace !== 'string') return 'a symlink whose namespace is no string'
    if (!target.isWellFormed() || namespace?.isWellFormed() === false) return 'a symlink that is not Unicode text'
    return undefined
  }
  if (type !== 'dir') return 'a tree object of unknown type'
  return typeof data === 'object' && data !== null && !Array.isArray(data) ? undefined : 'a dir without entries'
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * The bytes of an inline value.
 *
 * @throws {FluxError} `EINVAL` the text is not base64 in the standard alphabet. Padding may be missing.
 */
export function decodeVal({ data }: Val): Uint8Array {
  const isCut = data.endsWith('=') ? data.length % 4 !== 0 : data.length % 4 === 1
  if (isCut || !BASE64.test(data)) {
    throw new FluxError('EINVAL', 'invalid value object: Invalid argument')
  }
  return Buffer.from(data, 'base64')
}

/** True for a directory, inline or in a blob. */
export function isDir(obj: EntryObj): obj is DirObj | Dirref {
  return obj.type === 'dir' || obj.type === 'dirref'
}

/** A reference to the directory in a blob. */
export function dirrefOf(blobref: string): Dirref {
  return { type: 'dirref', ver: 1, data: [blobref] }
}

/**
 * The blobref of a directory; undefined for an inline one, and for a dirref that does not have exactly one, since Flux walks
 * no other.
 */
export function dirBlobref(dir: DirObj | Dirref): string | undefined {
  return dir.type === 'dirref' && dir.data.length === 1 ? dir.data[0] : undefined
}

/** The target of a link, as Flux's tools show it: `NAMESPACE::KEY`, or the key alone. */
export function linkText({ target, namespace }: { target: string; namespace?: string | undefined }): string {
  return namespace === undefined ? target : `${namespace}::${target}`
}

/** Parse the text of {@link linkText}: it is split at the first `::`. */
export function linkOf(text: string): { target: string; namespace: string | undefined } {
  const colons = text.indexOf('::')
  if (colons < 0) return { target: text, namespace: undefined }
  return { target: text.slice(colons + 2), namespace: text.slice(0, colons) }
}

/**
 * The names of a directory sorted by their UTF-8 bytes: the order in which Flux writes them and a walk visits them.
 * They need sorting because JSON.parse puts integer names first.
 */
export function sortedNames(dir: DirObj): string[] {
  return sortNames(Object.keys(dir.data))
}
