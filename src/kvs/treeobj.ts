/**
 * Tree objects (RFC 11): the JSON objects that a KVS namespace is made of. What is accepted is what Flux's own readers
 * accept, except where that would lose data: a NUL in a name, which they refuse, is taken.
 */
import { constants, isAscii } from 'node:buffer'
import { isBlobref } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { sortNames } from './name-order.ts'

/** What a name in a directory stands for, and a directory itself. @see RFC 11 */
export type TreeObj = Val | Valref | DirObj | Dirref | Symlink

/** What stands under a name of a directory, be it a tree object or not. */
export type EntryObj = TreeObj | Invalid

/** A value, base64 encoded. */
export interface Val {
  readonly type: 'val'
  readonly ver: 1
  readonly data: string
}
/** A value in blobs of its own, joined in order. */
export interface Valref {
  readonly type: 'valref'
  readonly ver: 1
  readonly data: readonly string[]
}
/** A directory: name to tree object. */
export interface DirObj {
  readonly type: 'dir'
  readonly ver: 1
  readonly data: Readonly<Record<string, EntryObj>>
}
/** A directory in a blob of its own. Flux writes exactly one blobref, and walks no other. */
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
 * What stands under a name of a directory and is no tree object, such as one of a later version or an unknown type. It is
 * the fault of that name alone: the rest of the directory can be read.
 */
export interface Invalid {
  readonly type: 'invalid'
  /** What is wrong with it. */
  readonly reason: string
  /** The decoded JSON that stands there. */
  readonly json: unknown
}

/** No larger blob can be decoded: its text would be longer than any string. */
export const MAX_DIR_BYTES = constants.MAX_STRING_LENGTH

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decode and check the tree object in a blob.
 *
 * @throws {FluxError} `EPROTO`, with the reason alone as its message: not UTF-8, not JSON, not a tree object
 */
export function decodeTreeObj(blob: Uint8Array): TreeObj {
  return asTreeObj(parse(blob))
}

/** As {@link decodeTreeObj}, but entries of a directory that are no tree objects become {@link Invalid} ones. */
export function decodeWithInvalid(blob: Uint8Array): TreeObj {
  return asWithInvalid(parse(blob))
}

/**
 * A tree object that has been decoded as JSON already.
 *
 * @throws {FluxError} `EPROTO` it is none, with the reason alone as its message
 */
export function asTreeObj(value: unknown): TreeObj {
  return checked(value, refuse)
}

/** As {@link asTreeObj}, but entries of a directory that are no tree objects become {@link Invalid} ones, in place. */
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
 * Check a tree object, and all that is in it. Nesting costs no stack.
 *
 * @param onInvalid - called for each entry of a directory that is no tree object
 * @throws {FluxError} `EPROTO` it is itself none
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

/** Why a value is no tree object, whatever the entries of a directory are; undefined when it is one. */
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
 * @throws {FluxError} `EINVAL` when the text is not base64 of the standard alphabet; padding may be left out
 */
export function decodeVal({ data }: Val): Uint8Array {
  const digits = data.endsWith('==') ? data.length - 2 : data.endsWith('=') ? data.length - 1 : data.length
  if (!BASE64.test(data) || digits % 4 === 1 || (digits !== data.length && data.length % 4 !== 0)) {
    throw new FluxError('EINVAL', 'invalid value object: Invalid argument')
  }
  return Buffer.from(data, 'base64')
}

/** Is this a directory, of itself or by reference? */
export function isDir(obj: EntryObj): obj is DirObj | Dirref {
  return obj.type === 'dir' || obj.type === 'dirref'
}

/** A reference to the directory in a blob. */
export function dirrefOf(blobref: string): Dirref {
  return { type: 'dirref', ver: 1, data: [blobref] }
}

/** The blob that a dirref names; undefined when there is not exactly one, as Flux walks no other. */
export function dirBlobref({ data }: Dirref): string | undefined {
  return data.length === 1 ? data[0] : undefined
}

/** Where a link leads, as Flux's tools show it: `NAMESPACE::KEY`, or the key alone. */
export function linkText({ target, namespace }: { target: string; namespace?: string | undefined }): string {
  return namespace === undefined ? target : `${namespace}::${target}`
}

/** What a text as of {@link linkText} stands for: it is parted at the first `::`. */
export function linkOf(text: string): { target: string; namespace: string | undefined } {
  const colons = text.indexOf('::')
  if (colons < 0) return { target: text, namespace: undefined }
  return { target: text.slice(colons + 2), namespace: text.slice(0, colons) }
}

/**
 * The names of a directory in the order of their UTF-8 bytes, in which Flux writes them and a walk visits them.
 * JSON.parse puts names that are numbers first.
 */
export function sortedNames(dir: DirObj): string[] {
  return sortNames(Object.keys(dir.data))
}
