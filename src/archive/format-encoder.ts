/** What all members of an archive have in common. */
export interface MemberAttributes {
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
  /** Modification time, whole seconds since 1970. */
  mtimeSeconds: number
}

/** Records of a member beyond path, size and link: pax keyword to value, for formats that can say it. */
export type ExtraRecords = Readonly<Record<string, string>>

/**
 * Turns members into the bytes of one archive format. Pure: nothing is read from the clock, the user database or the file
 * system, and the bytes go to the writer that the encoder was made with.
 */
export interface FormatEncoder {
  /**
   * Add a regular file.
   *
   * @param path - components joined by slashes
   * @param size - number of bytes that `parts` come to
   * @throws {ArchiveError} `EOVERFLOW` when the format cannot hold it
   */
  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void
  /** Begin a regular file whose bytes follow by {@link data}, and end with {@link endFile}. */
  beginFile(path: string, size: number, extra?: ExtraRecords): void
  data(part: Uint8Array): void
  /** @throws {ArchiveError} `EIO` when more or fewer bytes came than were declared */
  endFile(): void
  /** Add a symbolic link. */
  symlink(path: string, target: string, extra?: ExtraRecords): void
  /** Write what ends the archive. */
  finish(): void
}
