import { type ErrnoName, errnoText, FluxError, type FluxErrorOptions, printable } from '../errors/index.ts'

/**
 * What is wrong with a key: a blob of its value or the blob of its directory cannot be had; a directory blob holds no
 * tree object, or something that is no directory; a dirref has not exactly one blobref; a value does not decode.
 */
export type TreeErrorKind = 'missing-value' | 'missing-dir' | 'bad-treeobj' | 'not-a-dir' | 'bad-dirref' | 'bad-value'

/** A part of the tree that cannot be read. The message begins with the key. */
export class TreeError extends FluxError {
  /** The key, `.` for the root. */
  readonly key: string
  readonly kind: TreeErrorKind
  /** The blob that is at fault, where one is. */
  readonly blobref: string | undefined

  constructor(
    code: ErrnoName,
    at: { key: string; kind: TreeErrorKind; blobref?: string | undefined },
    what: string,
    options: FluxErrorOptions = {},
  ) {
    const blobref = at.blobref === undefined ? '' : ` (${at.blobref})`
    super(code, `${printable(at.key)}: ${what}${blobref}`, options)
    this.key = at.key
    this.kind = at.kind
    this.blobref = at.blobref
  }

  /** What errors of its kind have in common, in words, to count them by: `missing-value, No such file or directory`. */
  get faultKind(): string {
    return `${this.kind}, ${errnoText(this.code)}`
  }
}
