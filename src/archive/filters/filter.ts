import type { Levels, Magic } from '../descriptor.ts'
import type { Reading } from '../member.ts'
import type { Sink } from '../sink.ts'

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

/** Undoes a filter. It owns `chunks`. @throws {ArchiveError} `EBADMSG` damaged or truncated; `ENOTSUP` not to be undone */
export type Decode = (chunks: AsyncIterable<Uint8Array>, reading: Reading) => AsyncGenerator<Uint8Array>

/** What a filter is. */
export interface FilterDescriptor<Name extends string = string> {
  readonly name: Name
  /** What it adds to the extension of a format, with its dot. */
  readonly extension: string
  /** Shorter extensions for both together, by the name of the format: `.tgz` for a tar in gzip. */
  readonly abbreviations?: Readonly<Record<string, string>>
  /** Any of these may begin what it wrote. */
  readonly magic: readonly Magic[]
  readonly levels: Levels
  /** `openFilter`'s sink is where its bytes go. @throws {FluxError} `ENOENT` when it takes a program that is not there */
  encode(): Promise<{ openFilter(sink: Sink, options: FilterOptions): Filter | Promise<Filter> }>
  decode(): Promise<{ decode: Decode }>
}
