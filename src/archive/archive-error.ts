import { type ErrnoName, FluxError, type FluxErrorOptions, printable } from '../errors/index.ts'

/** An archive that cannot be written or read. */
export class ArchiveError extends FluxError {
  readonly format: string
  /** The member at fault, where one is. */
  readonly pathname: string | undefined

  constructor(
    code: ErrnoName,
    at: { format: string; pathname?: string | undefined },
    what: string,
    options: FluxErrorOptions = {},
  ) {
    super(code, at.pathname === undefined ? what : `${printable(at.pathname)}: ${what}`, options)
    this.format = at.format
    this.pathname = at.pathname
  }
}
