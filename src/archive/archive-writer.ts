import type { ExtraRecords } from './format-encoder.ts'
import type { ArchiveType } from './kinds.ts'

/**
 * An archive being written. Add members, call {@link ArchiveWriter.flush} after every few of them, and {@link
 * ArchiveWriter.finish} at the end. When anything fails, call {@link ArchiveWriter.abort}.
 */
export interface ArchiveWriter extends AsyncDisposable {
  readonly type: ArchiveType

  /** True when the archive can hold records of it as a whole. */
  readonly holdsRecords: boolean

  /** Bytes of the archive so far, before compression. */
  readonly bytes: number

  /**
   * Add a regular file whose content is in memory.
   *
   * @param path - components joined by slashes
   * @param parts - the writer keeps them: do not change them afterwards
   * @throws {ArchiveError} `EINVAL` the path is absolute, or has a component that is empty, `.` or `..`, or holds a
   *   NUL; `EOVERFLOW`, `EFBIG`, `ENAMETOOLONG` or `ENOTSUP` the format cannot hold the member
   */
  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void

  /** Add a regular file whose content is streamed. @throws {ArchiveError} */
  streamFile(
    path: string,
    size: number,
    stream: AsyncIterable<readonly Uint8Array[]>,
    extra?: ExtraRecords,
  ): Promise<void>

  /** Add a symbolic link. @throws {ArchiveError} */
  symlink(path: string, target: string, extra?: ExtraRecords): void

  /** Pass the collected bytes on. Add more members only when it has settled. Cheap when there is little to pass on. */
  flush(): Promise<void>

  /**
   * End the archive and make it appear under its name.
   *
   * @param records - further records of the archive as a whole, if it can hold any
   * @throws {FluxError} naming the file
   */
  finish(records?: ExtraRecords): Promise<void>

  /**
   * Give up: nothing is left behind, and an existing file of that name stays unchanged. Does nothing after `finish`.
   */
  abort(): Promise<void>
}
