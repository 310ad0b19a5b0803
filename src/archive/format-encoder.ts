/** Attributes that all members of an archive get. */
export interface MemberAttributes {
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
  /** Modification time, whole seconds since 1970. */
  mtimeSeconds: number
}

/** Further records of a member, from pax keyword to value, for formats that can hold them. */
export type ExtraRecords = Readonly<Record<string, string>>

/**
 * Encodes members in one archive format. An encoder reads no clock, user database or file system, and its bytes go to
 * the writer that it was created with.
 */
export interface FormatEncoder {
  /**
   * Add a regular file.
   *
   * @param path - components joined by slashes
   * @param size - total bytes of `parts`
   * @throws {ArchiveError} `EIO` the size is not that of `parts`; `EFBIG`, `ENAMETOOLONG` or `ENOTSUP` the format
   *   cannot hold it
   */
  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void
  /** Begin a regular file. {@link data} adds its content, and {@link endFile} ends it. */
  beginFile(path: string, size: number, extra?: ExtraRecords): void
  /** Add content to the file. @throws {ArchiveError} `EIO` more bytes were added than declared */
  data(part: Uint8Array): void
  /** @throws {ArchiveError} `EIO` fewer bytes were added than declared */
  endFile(): void
  /** Add a symbolic link. */
  symlink(path: string, target: string, extra?: ExtraRecords): void
  /** True when the archive can hold records of it as a whole. */
  readonly holdsRecords?: boolean
  /**
   * Bytes that {@link finish} has written behind what ends an archive for other readers. They may close a pipe before.
   */
  readonly trailingBytes?: number
  /** Write the end of the archive. @param records - of the archive as a whole, beside those given at the beginning */
  finish(records?: ExtraRecords): void
}
