/** A synchronous decompressor. Runs in its own thread, see in-thread.ts. */
export interface Decoder {
  /** @param chunk - owned by the decoder from now on. The output can be much larger, so take it piece by piece. */
  push(chunk: Uint8Array): Generator<Uint8Array>
  /** Called at the end of the input. @throws {DecodeError} the input is incomplete */
  finish(): Generator<Uint8Array>
  /** The damages since the last call that were left out. A decoder without it stops at the first. */
  takeLosses?(): string[]
}

/** Compressed data that cannot be decompressed. The message begins with `damaged`, `truncated` or `not supported`. */
export class DecodeError extends Error {}
