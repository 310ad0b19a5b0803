/** Reading parts of a tree, and what is said of those that cannot be read. */
import type { ContentError } from '../content/index.ts'
import { TreeError } from './tree-error.ts'
import { type DirObj, decodeVal, decodeWithInvalid, type Invalid, type TreeObj, type Val } from './treeobj.ts'

/**
 * Decode the blob of a directory. What stands in it and is no tree object becomes {@link Invalid}: the fault of its name alone.
 *
 * @param key - for messages; a function is called only when there is one, as a key costs time to put together
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

/** An entry of a directory that is no tree object. */
export function badEntry(key: string, { reason }: Invalid): TreeError {
  return new TreeError('EPROTO', { key, kind: 'bad-treeobj' }, `could not decode tree object: ${reason}`)
}

/** A reference to a directory that has not exactly one blob. */
export function badDirref(key: string): TreeError {
  return new TreeError('EPROTO', { key, kind: 'bad-dirref' }, 'dirref blobref count is not 1')
}

/**
 * A blob of a value that cannot be had, in the words of the C tools, so that scripts that look for them find them.
 *
 * @param index - which of the blobs of the value
 */
export function missingValue(key: string, index: number, cause: ContentError): TreeError {
  const { blobref, code } = cause
  const which = code === 'ENOENT' ? 'missing blobref' : 'unreadable blobref'
  return new TreeError(code, { key, blobref, kind: 'missing-value' }, `${which} ${index}: ${cause.message}`, { cause })
}

/** A directory whose blob cannot be had, likewise. */
export function missingDir(key: string, cause: ContentError): TreeError {
  const { blobref, code } = cause
  return new TreeError(code, { key, blobref, kind: 'missing-dir' }, `could not load content: ${cause.message}`, {
    cause,
  })
}
