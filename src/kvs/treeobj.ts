/**
 * Tree objects (RFC 11): the JSON objects that a KVS namespace is made of. What is accepted is what Flux's own readers
 * accept, except where that would lose data: a NUL in a name, which they refuse, is taken.
 */
import { constants, isAscii } from 'node:buffer'
import { isBlobref } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { sortNames } from './treeobj-encode.ts'

/** What a name in a directory stands for, and a directory itself. @see RFC 11 */
export type TreeObj = Val | Valref | DirObj | Dirref | Symlink

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
  readonly data: Readonly<Record<string, TreeObj>>
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

/** No larger blob can be decoded: its text would be longer than any string. */
export const MAX_DIR_BYTES = constants.MAX_STRING_LENGTH

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decode and check the tree object in a blob.
 *
 * @throws {FluxError} `EPROTO`, with the reason alone as its message: not UTF-8, not JSON, not a tree object
 */
export function decodeTreeObj(blob: Uint8Array): TreeObj {
  let value: unknown
  try {
    value = JSON.parse(
      isAscii(blob) ? Buffer.from(blob.buffer, blob.byteOffset, blob.length).toString('latin1') : decoder.decode(blob),
    )
  } catch (error) {
    throw new FluxError('EPROTO', `not JSON: ${(error as Error).message}`, { cause: error })
  }
  return asTreeObj(value)
}

/**
 * A tree object that has been decoded as JSON already.
 *
 * @throws {FluxError} `EPROTO` it is none, with the reason alone as its message
 */
export function asTreeObj(value: unknown): TreeObj {
  const wrong = checkTreeObj(value)
  if (wrong !== undefined) throw new FluxError('EPROTO', wrong)
  return value as TreeObj
}

/** @returns what is wrong with `root` or anything inside of it, or undefined. Nesting costs no stack. */
function checkTreeObj(root: unknown): string | undefined {
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a tree object is not an object'
    const { ver, type, data } = value as Record<string, unknown>
    let members = 0
    for (const _ in value) members++
    if (ver !== 1 || members !== 3 || data === undefined) return 'not a tree object of version 1 (RFC 11)'
    if (type === 'val') {
      if (typeof data !== 'string') return 'a val without a string'
    } else if (type === 'valref' || type === 'dirref') {
      if (!Array.isArray(data) || data.length === 0) return `a ${type} without a blobref`
      for (const blobref of data) if (!isBlobref(blobref)) return `a ${type} with something that is no blobref`
    } else if (type === 'symlink') {
      const { target, namespace } = (data ?? {}) as Record<string, unknown>
      if (typeof target !== 'string') return 'a symlink without a target'
      if (namespace !== undefined && typeof namespace !== 'string') return 'a symlink whose namespace is no string'
      if (!target.isWellFormed() || namespace?.isWellFormed() === false) return 'a symlink that is not Unicode text'
    } else if (type === 'dir') {
      if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'a dir without entries'
      for (const name in data) {
        if (!name.isWellFormed()) return 'a name that is not Unicode text'
        open.push((data as Record<string, unknown>)[name])
      }
    } else {
      return 'a tree object of unknown type'
    }
  }
  return undefined
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

/**
 * The names of a directory in the order of their UTF-8 bytes, in which Flux writes them and a walk visits them.
 * JSON.parse puts names that are numbers first.
 */
export function sortedNames(dir: DirObj): string[] {
  return sortNames(Object.keys(dir.data))
}
