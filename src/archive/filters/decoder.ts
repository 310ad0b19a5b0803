/** Undoes a compression: bytes in, bytes out, no waiting. Runs in a thread of its own, see in-thread.ts. */
export interface Decoder {
  /** @param chunk - the decoder's from now on. What comes out may be much: ask for it piece by piece. */
  push(chunk: Uint8Array): Generator<Uint8Array>
  /** The input has ended. */
  finish(): Generator<Uint8Array>
}

/** Compressed data that cannot be undone. The message begins with `damaged`, `truncated` or `not supported`. */
export class DecodeError extends Error {}
