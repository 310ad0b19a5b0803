import type { Levels, Magic } from '../descriptor.ts'
import type { Reading } from '../member.ts'
import type { Sink } from '../sink.ts'

/** Compresses the bytes of a format into the file. "Filter" is libarchive's word. */
export interface Filter {
  /** @param chunks - owned by the filter from now on. Settles when it can take more. */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** Write the end of the stream. Settles when everything has been written to the sink. */
  finish(): Promise<void>
  /** Give up and release threads. Never throws. May be called at any time, also after {@link finish}. */
  abort?(): Promise<void>
}

export interface FilterOptions {
  /** Compression level: a higher level is slower and gives a smaller file. */
  level: number
  /** Blocks compressed at the same time. The bytes do not depend on it. */
  threads: number
  /** The name of the archive in messages. */
  name: string
  /** Interrupts pending work, as {@link Filter.abort} does. */
  signal?: AbortSignal | undefined
}

/**
 * Decompresses. It closes `chunks` at the end. @throws {ArchiveError} `EBADMSG` damaged or truncated; `ENOTSUP` an
 * unsupported variant
 */
export type Decode = (chunks: AsyncIterable<Uint8Array>, reading: Reading) => AsyncGenerator<Uint8Array>

/** Describes a filter. */
export interface FilterDescriptor<Name extends string = string> {
  readonly name: Name
  /** Its extension, with the dot, which follows that of the format. */
  readonly extension: string
  /** Short extensions for a format with this filter, by the name of the format: `.tgz` for a tar in gzip. */
  readonly abbreviations?: Readonly<Record<string, string>>
  /** A file of this filter begins with one of these. */
  readonly magic: readonly Magic[]
  readonly levels: Levels
  /** True when the decoder can begin at any of its blocks: then a damaged beginning can be left out. */
  readonly isInBlocks?: true
  /**
   * Load the compressor. `openFilter` writes to `sink`, and throws `ENOENT` when it needs a program that is not
   * installed.
   */
  encode(): Promise<{ openFilter(sink: Sink, options: FilterOptions): Filter | Promise<Filter> }>
  decode(): Promise<{ decode: Decode }>
}
