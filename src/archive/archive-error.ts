import { cutMiddle, type ErrnoName, FluxError, type FluxErrorOptions, printable } from '../errors/index.ts'

/** The place in an archive that an error is about. */
export interface ArchivePlace {
  format: string
  /** The archive as messages name it: a path, or `standard input`. */
  archive?: string | undefined
  pathname?: string | undefined
  /** Byte offset in the archive, after decompression if there is a filter. */
  offset?: number | undefined
}

/** An archive that cannot be written or read. */
export class ArchiveError extends FluxError {
  readonly format: string
  /** The member at fault, if there is one. */
  readonly pathname: string | undefined
  /** Byte offset in the uncompressed archive, if known. */
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

/** Longer names are cut in messages: a path can have a million characters. */
const MAX_SHOWN_CHARS = 400

/** A name for a message. The root of an archive has none. */
function shown(name: string): string {
  return name === '' ? '.' : printable(cutMiddle(name, MAX_SHOWN_CHARS))
}

/** The error for a file whose parts do not add up to its declared size. */
export function sizeMismatch(format: string, pathname: string, declared: number, written: number): ArchiveError {
  return new ArchiveError('EIO', { format, pathname }, `declared ${declared} bytes, but ${written} were written`)
}

/** @throws {ArchiveError} `EIO` the parts do not add up to the declared size */
export function assertSize(format: string, pathname: string, declared: number, parts: readonly Uint8Array[]): void {
  let written = 0
  for (const part of parts) written += part.length
  if (written !== declared) throw sizeMismatch(format, pathname, declared, written)
}
