/** Members as every reader presents them, and what their names may be. */
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
  /** Components joined by slashes; neither `.`, `..`, empty ones nor a NUL among them. Empty for the root directory alone. */
  path: string
  type: MemberType
  /** Bytes of content; 0 for all but files. */
  size: number
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
  /** Seconds since 1970, with a fraction where the archive has one; 0 when it has no time. */
  mtimeSeconds: number
  /** Of a symlink its target, as it is; of a hardlink the path of the member it repeats. Else empty. */
  linkname: string
  /** Records of keywords that the format itself does not know. */
  extra: ExtraRecords | undefined
  /** Where the member begins, in bytes of the uncompressed archive. */
  offset: number
  /** The whole content of a file of up to 1 MiB. A view of the input: copy it to keep it past this batch. */
  data: Uint8Array | undefined
  /** The content of a larger file. To be read, if at all, before the next batch is asked for; each chunk is a view. */
  stream: (() => AsyncIterable<Uint8Array>) | undefined
}

/** Files of up to this size come whole. Two batches' worth is what a reader holds at most. */
export const WHOLE_BYTES = 1 << 20

/** A batch ends after this many members, or bytes of contents, paths, targets and records. */
export const BATCH_MEMBERS = 1024
export const BATCH_BYTES = 1 << 20

/**
 * The longest header (pax records, a GNU long name, a cpio name, a link target) that is read: as libarchive's. Headers
 * are held in memory, and what declares more is an attack or damage: a path in Linux is at most 4096 bytes.
 */
export const HEADER_BYTES = 1 << 20

/** Says what is wrong with one archive, always naming it. */
export class Reading {
  readonly archive: string
  readonly format: string

  constructor(archive: string, format: string) {
    this.archive = archive
    this.format = format
  }

  /** An error to throw. `at.path` is the member, if its name is known yet. */
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
   * The text of a name or link target.
   *
   * @throws {ArchiveError} `EILSEQ` when it is not UTF-8: another name would be restored than was archived
   */
  text(bytes: Buffer, from: number, to: number, offset: number): string {
    const text = bytes.toString('utf8', from, to)
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(from, to))) {
      throw this.error('EILSEQ', 'the name is not UTF-8', { path: bytes.toString('latin1', from, to), offset })
    }
    return text
  }

  /**
   * A member's path, normalised: leading slashes and `.` and empty components are dropped, as they lead nowhere.
   *
   * @throws {ArchiveError} `EINVAL` for a `..` or a NUL
   */
  path(raw: string, offset: number): string {
    if (!ODD_PATH.test(raw)) return raw
    if (raw.includes('\0')) throw this.error('EINVAL', 'the path holds a NUL', { path: raw, offset })
    const components = raw.split('/').filter((component) => component !== '' && component !== '.')
    if (components.includes('..')) throw this.error('EINVAL', "the path holds '..'", { path: raw, offset })
    return components.join('/')
  }
}

/** What may need a closer look: a NUL, an empty component, or one of only one or two dots. */
const ODD_PATH = /\0|^\/|\/\/|\/$|(?:^|\/)\.\.?(?:\/|$)/

/** The type that the format bits of a Unix mode (`S_IFMT`) say. */
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
