import { type ErrnoName, FluxError, type FluxErrorOptions, printable } from '../errors/index.ts'

/** What an error of an archive is about. */
export interface ArchivePlace {
  format: string
  /** The archive as the reader of the message knows it: a path, or `standard input`. */
  archive?: string | undefined
  pathname?: string | undefined
  /** Bytes from the beginning of the archive, after decompression where there is a filter. */
  offset?: number | undefined
}

/** An archive that cannot be written or read. */
export class ArchiveError extends FluxError {
  readonly format: string
  /** The member at fault, where one is. */
  readonly pathname: string | undefined
  /** Where in the (uncompressed) archive, where that is known. */
  readonly offset: number | undefined

  constructor(code: ErrnoName, at: ArchivePlace, what: string, options: FluxErrorOptions = {}) {
    const names = [at.archive, at.pathname].filter((name) => name !== undefined).map((name) => `${printable(name)}: `)
    super(code, `${names.join('')}${what}${at.offset === undefined ? '' : ` (at byte ${at.offset})`}`, options)
    this.format = at.format
    this.pathname = at.pathname
    this.offset = at.offset
  }
}
