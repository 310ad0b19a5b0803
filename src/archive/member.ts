/** Members as all readers return them, and the checks of their names. */
import { isUtf8 } from 'node:buffer'
import type { ErrnoName } from '../errors/index.ts'
import { ArchiveError } from './archive-error.ts'
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from './file-mode.ts'
import type { ExtraRecords } from './format-encoder.ts'

export type MemberType =
  | 'file'
  | 'symlink'
  | 'hardlink'
  | 'directory'
  | 'fifo'
  | 'character-device'
  | 'block-device'
  | 'socket'

/** One member of an archive that is being read. */
export interface Member {
  /**
   * Components joined by slashes. No component is empty, `.` or `..`, or holds a NUL. The path is empty only for the
   * root directory.
   */
  path: string
  type: MemberType
  /** Bytes of content; 0 except for files. */
  size: number
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
  /** Seconds since 1970, with a fraction if the archive has one; 0 when the archive gives no time. */
  mtimeSeconds: number
  /** For a symlink its target, unchanged; for a hardlink the path of the member that it links to. Else empty. */
  linkname: string
  /** Pax records with keywords that the reader does not interpret. */
  extra: ExtraRecords | undefined
  /** Byte offset of the member in the uncompressed archive. */
  offset: number
  /**
   * Byte offset of the content of a file in the uncompressed archive, if it lies there in one piece and as it is. In a
   * damaged archive, of which only the rest is read, it is the offset in that rest.
   */
  contentOffset?: number | undefined
  /**
   * The whole content of a file of up to 1 MiB. A view of the input, valid until the next batch: copy it to keep it.
   */
  data: Uint8Array | undefined
  /** The content of a larger file. Read it, if at all, before requesting the next batch. Each chunk is a view. */
  stream: (() => AsyncIterable<Uint8Array>) | undefined
}

/** Files of up to this size are read whole. A reader holds at most two batches. */
export const WHOLE_BYTES = 1 << 20

/** A batch ends after this many members, or bytes of contents, paths, targets and records. */
export const BATCH_MEMBERS = 1024
export const BATCH_BYTES = 1 << 20

/**
 * The longest header that is read (pax records, a GNU long name, a cpio name, a link target): libarchive's limit.
 * Headers are held in memory, and a longer one is an attack or damage: a path in Linux has at most 4096 bytes.
 */
export const HEADER_BYTES = 1 << 20

/** Called with the error of each damaged part that is left out. */
export type OnLoss = (error: ArchiveError) => void

/** Makes the errors for one archive, which all name it, and checks its names. */
export class Reading {
  readonly archive: string
  readonly format: string
  readonly #onLoss: OnLoss | undefined
  readonly #records: Record<string, string> = Object.create(null)
  #recordBytes = 0
  #isJoined = false

  /** @param onLoss - see {@link lose} */
  constructor(archive: string, format: string, onLoss?: OnLoss) {
    this.archive = archive
    this.format = format
    this.#onLoss = onLoss
  }

  /** The records of the archive as a whole that have been read so far. */
  get records(): ExtraRecords {
    return this.#records
  }

  /** Keep records of the archive as a whole; later ones win. An archive can hold any number, so there is a limit. */
  note(records: ExtraRecords): void {
    if (this.#isJoined) return
    for (const [keyword, value] of Object.entries(records)) {
      this.#recordBytes += keyword.length + value.length
      if (this.#recordBytes > HEADER_BYTES) return
      this.#records[keyword] = value
    }
  }

  /** Drop all records, those to come too: several archives were joined, and none of their records is of the whole. */
  joined(): void {
    this.#isJoined = true
    for (const keyword of Object.keys(this.#records)) delete this.#records[keyword]
  }

  /** True when what is damaged is left out, and the rest is read. */
  get isSalvaging(): boolean {
    return this.#onLoss !== undefined
  }

  /**
   * Report damage that the reader can leave out. Without salvage it is thrown.
   *
   * @param error - anything that was caught; only an {@link ArchiveError} for damage is kept back
   */
  lose(error: unknown): void {
    if (this.#onLoss === undefined || !(error instanceof ArchiveError) || error.code !== 'EBADMSG') throw error
    this.#onLoss(error)
  }

  /**
   * Report that a member which was found by what seems to be its header is left out. It may be none: so whatever is wrong with
   * it, others may follow.
   *
   * @param error - anything that was caught; an {@link ArchiveError} of any kind is kept back
   */
  loseFound(error: unknown): void {
    if (!(error instanceof ArchiveError) || error.code === 'EBADMSG') this.lose(error)
    else this.lose(new ArchiveError('EBADMSG', { format: this.format }, error.message, { cause: error }))
  }

  /** An error to throw. `at.path` is the path of the member, if it is known. */
  error(code: ErrnoName, what: string, at: { path?: string; offset?: number; cause?: unknown; hint?: string } = {}) {
    const { path: pathname, offset, cause, hint } = at
    return new ArchiveError(code, { format: this.format, archive: this.archive, pathname, offset }, what, {
      cause,
      hint,
    })
  }

  truncated(what: string, at: { path?: string; offset?: number } = {}): ArchiveError {
    return this.error('EBADMSG', `truncated: the archive ends within ${what}`, at)
  }

  /**
   * Decode a name or link target.
   *
   * @throws {ArchiveError} `EILSEQ` it is not UTF-8, so the restored name would differ from the archived one
   */
  text(bytes: Buffer, from: number, to: number, offset: number): string {
    const text = bytes.toString('utf8', from, to)
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(from, to))) {
      throw this.error('EILSEQ', 'the name is not UTF-8', { path: bytes.toString('latin1', from, to), offset })
    }
    return text
  }

  /**
   * Normalise a member's path: leading slashes and components that are empty or `.` are dropped.
   *
   * @throws {ArchiveError} `EINVAL` it holds a `..` component or a NUL
   */
  path(raw: string, offset: number): string {
    if (!ODD_PATH.test(raw)) return raw
    if (raw.includes('\0')) throw this.error('EINVAL', 'the path holds a NUL', { path: raw, offset })
    const components = raw.split('/').filter((component) => component !== '' && component !== '.')
    if (components.includes('..')) throw this.error('EINVAL', "the path holds '..'", { path: raw, offset })
    return components.join('/')
  }
}

/** Paths that need the full check: those with a NUL, an empty component, or a component `.` or `..`. */
const ODD_PATH = /\0|^\/|\/\/|\/$|(?:^|\/)\.\.?(?:\/|$)/

/** The type that the file type bits of a Unix mode (`S_IFMT`) give. */
export function typeOfMode(mode: number): MemberType | undefined {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 'file'
    case S_IFLNK:
      return 'symlink'
    case S_IFDIR:
      return 'directory'
    case S_IFIFO:
      return 'fifo'
    case S_IFCHR:
      return 'character-device'
    case S_IFBLK:
      return 'block-device'
    case S_IFSOCK:
      return 'socket'
  }
  return undefined
}
