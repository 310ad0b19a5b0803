/**
 * The framing of `local://`: each message is preceded by eight bytes.
 *
 *      0..3   12 00 ee ff     magic: the u32 0xffee0012 in the host order of the peers (little-endian here)
 *      4..7   u32 big-endian  size of the message, without these eight bytes
 *
 * {@link FrameParser} gets chunks as they were received, and reports where each message is in them. A message within
 * one chunk is not copied. A message that straddles chunks is copied once, into a new buffer.
 *
 * @see flux-core `src/common/librouter/sendfd.c` (whose comment on the size field is wrong)
 */
import { PROTO_BYTES, u32, writeU32 } from './proto.ts'
import { ProtocolError } from './rpc-error.ts'

/** Length of the header before each message. */
export const FRAME_HEADER_BYTES = 8

/** The largest blob (1 GiB, flux-core `content.blob-size-limit`), plus 64 KiB for the rest of its message. */
export const MAX_MESSAGE_BYTES = 2 ** 30 + 2 ** 16

const MAGIC = 0x1200eeff

/** Write the header of a message of `messageBytes` bytes. @returns the offset where the message begins */
export function writeFrameHeader(target: Uint8Array, at: number, messageBytes: number): number {
  writeU32(target, at, MAGIC)
  writeU32(target, at + 4, messageBytes)
  return at + FRAME_HEADER_BYTES
}

/** Called for each message of a stream: `bytes` from `start` to `end`. */
export type OnMessage = (bytes: Uint8Array, start: number, end: number) => void

/**
 * Splits a stream into messages. Chunks are never written to, so views of them stay valid. But a view keeps its whole
 * chunk in memory.
 */
export class FrameParser {
  readonly #onMessage: OnMessage
  readonly #maxBytes: number
  /** Number of bytes of the stream before the current chunk. */
  #offset = 0
  /** A header that straddles chunks. */
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES)
  #headerUsed = 0
  /** A message that straddles chunks. */
  #message: Uint8Array | undefined
  #messageUsed = 0

  /**
   * @param onMessage - called for each message, during {@link FrameParser.push}
   * @param maxBytes - a larger message is refused before memory is allocated for it
   */
  constructor(onMessage: OnMessage, maxBytes: number = MAX_MESSAGE_BYTES) {
    this.#onMessage = onMessage
    this.#maxBytes = maxBytes
  }

  /** True in the middle of a message, where a stream must not end. */
  get incomplete(): boolean {
    return this.#headerUsed > 0 || this.#message !== undefined
  }

  /**
   * Parse the next chunk. The parser owns it from now on.
   *
   * @throws {ProtocolError} wrong magic or size, with its offset in the stream. The parser cannot be used after that
   */
  push(chunk: Uint8Array): void {
    const { length } = chunk
    let at = 0
    while (at < length) {
      if (this.#message) {
        at = this.#continue(this.#message, chunk, at)
      } else if (this.#headerUsed > 0 || length - at < FRAME_HEADER_BYTES) {
        const end = Math.min(length, at + FRAME_HEADER_BYTES - this.#headerUsed)
        this.#header.set(chunk.subarray(at, end), this.#headerUsed)
        this.#headerUsed += end - at
        at = end
        if (this.#headerUsed === FRAME_HEADER_BYTES) {
          this.#headerUsed = 0
          this.#begin(this.#sizeOf(this.#header, 0, this.#offset + at - FRAME_HEADER_BYTES))
        }
      } else {
        const size = this.#sizeOf(chunk, at, this.#offset + at)
        at += FRAME_HEADER_BYTES
        if (size <= length - at) {
          this.#onMessage(chunk, at, at + size)
          at += size
        } else {
          this.#begin(size)
        }
      }
    }
    this.#offset += length
  }

  #begin(size: number): void {
    // Not from Node's pool of small buffers: a view of the message must not keep unrelated buffers in memory.
    this.#message = Buffer.allocUnsafeSlow(size)
    this.#messageUsed = 0
  }

  #continue(message: Uint8Array, chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + message.length - this.#messageUsed)
    message.set(chunk.subarray(at, end), this.#messageUsed)
    this.#messageUsed += end - at
    if (this.#messageUsed === message.length) {
      this.#message = undefined
      this.#onMessage(message, 0, message.length)
    }
    return end
  }

  #sizeOf(bytes: Uint8Array, at: number, offset: number): number {
    const magic = u32(bytes, at)
    if (magic !== MAGIC) {
      throw new ProtocolError(offset, 'the magic 1200eeff', magic.toString(16).padStart(8, '0'))
    }
    const size = u32(bytes, at + 4)
    if (size <= PROTO_BYTES || size > this.#maxBytes) {
      throw new ProtocolError(
        offset + 4,
        `a message of ${PROTO_BYTES + 1} to ${this.#maxBytes} bytes`,
        `one of ${size}`,
      )
    }
    return size
  }
}
