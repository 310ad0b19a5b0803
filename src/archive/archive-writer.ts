import type { ExtraRecords } from './format-encoder.ts'
import type { ArchiveType } from './kinds.ts'

/**
 * An archive being written. Add members, call {@link ArchiveWriter.flush} after each handful of them, then
 * {@link ArchiveWriter.finish}; or, when anything fails, {@link ArchiveWriter.abort}.
 */
export interface ArchiveWriter extends AsyncDisposable {
  readonly type: ArchiveType

  /** Bytes of the format so far, before they are compressed. */
  readonly bytes: number

  /**
   * Add a regular file whose bytes are at hand.
   *
   * @param path - components joined by slashes
   * @param parts - the archive's from now on: not changed any more
   * @throws {ArchiveError} `EINVAL` the path is absolute, or has a component that is empty, `.` or `..`, or holds a NUL;
   *   `EOVERFLOW` and the like when the format cannot hold it
   */
  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void

  /** Add a regular file whose bytes come piece by piece. @throws {ArchiveError} */
  streamFile(
    path: string,
    size: number,
    stream: AsyncIterable<readonly Uint8Array[]>,
    extra?: ExtraRecords,
  ): Promise<void>

  /** Add a symbolic link. @throws {ArchiveError} */
  symlink(path: string, target: string, extra?: ExtraRecords): void

  /** Hand on what has come together; settles when more may be added. Cheap when there is little. */
  flush(): Promise<void>

  /** End the archive and make it appear under its name. @throws {FluxError} naming the file */
  finish(): Promise<void>

  /** Give up: nothing is left behind, and an older file of the name stays as it is. Does nothing after `finish`. */
  abort(): Promise<void>
}
