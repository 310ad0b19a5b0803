import { type ErrnoName, errnoText, FluxError, type FluxErrorOptions, printable } from '../errors/index.ts'

/**
 * What is wrong with a key: a blob of its value (`missing-value`) or the blob of its directory (`missing-dir`) cannot
 * be loaded; a directory blob is not a tree object (`bad-treeobj`), or is one of another type (`not-a-dir`); a dirref
 * does not have exactly one blobref (`bad-dirref`); a value does not decode (`bad-value`).
 */
export type TreeErrorKind = 'missing-value' | 'missing-dir' | 'bad-treeobj' | 'not-a-dir' | 'bad-dirref' | 'bad-value'

/** A part of the tree that cannot be read. The message begins with the key. */
export class TreeError extends FluxError {
  /** The key, `.` for the root. */
  readonly key: string
  readonly kind: TreeErrorKind
  /** The blob at fault, if there is one. */
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

  /** True for a directory: then it is not known which keys are below it, nor how many. */
  get isDirectory(): boolean {
    const { kind } = this
    if (kind === 'bad-treeobj') return this.blobref !== undefined
    return kind === 'missing-dir' || kind === 'not-a-dir' || kind === 'bad-dirref'
  }

  /** The message without the key at its start. */
  get reason(): string {
    return this.message.slice(`${printable(this.key)}: `.length)
  }

  /** The kind and cause as text, by which reports count errors: `missing-value, No such file or directory`. */
  get faultKind(): string {
    return `${this.kind}, ${errnoText(this.code)}`
  }
}
