/** Turns the bytes of a format into those of the file (libarchive's word for a compressor). */
export interface Filter {
  /** @param chunks - the filter's from now on. Settles when more can be taken. */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** Write what ends the stream; settles when all has gone to the sink. */
  finish(): Promise<void>
  /** Give up: let go of threads. Never throws; may be called at any time, also after {@link finish}. */
  abort?(): Promise<void>
}

export interface FilterOptions {
  /** How hard to compress: larger is smaller and slower. */
  level: number
  /** Blocks compressed at once. The bytes do not depend on it. */
  threads: number
  /** The archive, as messages name it. */
  name: string
  /** Calls off what is under way, as {@link Filter.abort} does. */
  signal?: AbortSignal | undefined
}
