/** Turns the bytes of a format into those of the file (libarchive's word for a compressor). */
export interface Filter {
  /** @param chunks - the filter's from now on. Settles when more can be taken. */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** Write what ends the stream; settles when all has gone to the sink. */
  finish(): Promise<void>
}
