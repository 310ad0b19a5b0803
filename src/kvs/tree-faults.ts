/** Decoding parts of a tree, and the errors for parts that cannot be read. */
import type { ContentError } from '../content/index.ts'
import { TreeError } from './tree-error.ts'
import { type DirObj, decodeVal, decodeWithInvalid, type Invalid, type TreeObj, type Val } from './treeobj.ts'

/**
 * Decode the blob of a directory. An entry that is not a tree object becomes {@link Invalid}, so the other entries stay
 * readable.
 *
 * @param key - for messages. Building a key takes time, so a function is called only when there is an error.
 * @throws {TreeError} `bad-treeobj`, `not-a-dir`
 */
export function decodeDir(blob: Uint8Array, key: string | (() => string), blobref: string | undefined): DirObj {
  const keyText = () => (typeof key === 'string' ? key : key())
  let obj: TreeObj
  try {
    obj = decodeWithInvalid(blob)
  } catch (cause) {
    const what = `could not decode tree object: ${(cause as Error).message}`
    throw new TreeError('EPROTO', { key: keyText(), blobref, kind: 'bad-treeobj' }, what, { cause })
  }
  if (obj.type === 'dir') return obj
  throw new TreeError('EPROTO', { key: keyText(), blobref, kind: 'not-a-dir' }, 'dirref references non-directory')
}

/**
 * The bytes of an inline value.
 *
 * @param key - for messages
 * @throws {TreeError} `bad-value`
 */
export function decodeInline(obj: Val, key: () => string): Uint8Array {
  try {
    return decodeVal(obj)
  } catch (cause) {
    throw new TreeError('EINVAL', { key: key(), kind: 'bad-value' }, (cause as Error).message, { cause })
  }
}

/** The error for an entry of a directory that is not a tree object. */
export function badEntry(key: string, { reason }: Invalid): TreeError {
  return new TreeError('EPROTO', { key, kind: 'bad-treeobj' }, `could not decode tree object: ${reason}`)
}

/** The error for a dirref that does not have exactly one blobref. */
export function badDirref(key: string): TreeError {
  return new TreeError('EPROTO', { key, kind: 'bad-dirref' }, 'dirref blobref count is not 1')
}

/**
 * The error for a blob of a value that cannot be loaded. It keeps the words of Flux's C tools, which scripts look for.
 *
 * @param index - index of the blob in the value's blobrefs
 */
export function missingValue(key: string, index: number, cause: ContentError): TreeError {
  const { blobref, code } = cause
  const which = code === 'ENOENT' ? 'missing blobref' : 'unreadable blobref'
  return new TreeError(code, { key, blobref, kind: 'missing-value' }, `${which} ${index}: ${cause.message}`, { cause })
}

/** The error for a directory whose blob cannot be loaded, in the words of Flux's C tools. */
export function missingDir(key: string, cause: ContentError): TreeError {
  const { blobref, code } = cause
  // Without its root nothing of a snapshot can be read, but another root may be there.
  const hint = key === '.' ? 'of a store on disk, content roots lists the roots that it has' : undefined
  return new TreeError(code, { key, blobref, kind: 'missing-dir' }, `could not load content: ${cause.message}`, {
    cause,
    hint,
  })
}
