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
    const { archive, pathname } = at
    const where = `${archive === undefined ? '' : `${printable(archive)}: `}${pathname === undefined ? '' : `${shown(pathname)}: `}`
    super(code, `${where}${what}${at.offset === undefined ? '' : ` (at byte ${at.offset})`}`, options)
    this.format = at.format
    this.pathname = at.pathname
    this.offset = at.offset
  }
}

/** More of a name is no help to whoever reads the message; a path may have a million characters. */
const MOST_SHOWN = 400

function shown(name: string): string {
  return printable(name.length > MOST_SHOWN ? `${name.slice(0, MOST_SHOWN)}...` : name)
}

/** What to do about a key that a format cannot hold. */
export const OTHER_FORMAT = 'write a .tar instead, or leave it out with --exclude'

/** The error for a file whose parts do not come to the size that was declared. */
export function sizeMismatch(format: string, pathname: string, declared: number, written: number): ArchiveError {
  return new ArchiveError('EIO', { format, pathname }, `declared ${declared} bytes, but ${written} were written`)
}

/** @throws {ArchiveError} `EIO` when the parts of a file come to another size than was declared */
export function assertSize(format: string, pathname: string, declared: number, parts: readonly Uint8Array[]): void {
  let written = 0
  for (const part of parts) written += part.length
  if (written !== declared) throw sizeMismatch(format, pathname, declared, written)
}
