import { FluxError } from '../errors/index.ts'
import { FRAME_HEADER_BYTES, writeFrameHeader } from './framing.ts'
import {
  FLAG,
  PROTO_AT,
  PROTO_BYTES,
  partBytes,
  TYPE,
  writePart,
  writePartLength,
  writeProto,
  writeU32,
} from './proto.ts'

/** The fields that all requests of a {@link RequestTemplate} share. */
export interface RequestKind {
  topic: string
  /** A rank, or `NODEID_ANY`. */
  nodeid: number
  userid: number
  rolemask: number
  /** `FLAG.NORESPONSE`, `FLAG.STREAMING`. */
  flags?: number | undefined
}

/** The initial size of a buffer. Buffers that did not outgrow it are reused. */
const BUFFER_BYTES = 1 << 16
const SPARE_BUFFERS = 4

/** A payload of this size or more is not copied: one more element of a `writev` costs less than the copy. */
const BY_REFERENCE_BYTES = 1 << 16

/** The bytes of requests that differ only in payload and matchtag, so that a request costs two or three copies. */
export class RequestTemplate {
  readonly topic: string
  /** The route delimiter and the topic part. */
  readonly head: Uint8Array
  /** The PROTO part of a request with a payload, with matchtag 0. */
  readonly proto: Uint8Array

  /** @throws {FluxError} `EINVAL` the topic is empty or has a NUL */
  constructor({ topic, nodeid, userid, rolemask, flags = 0 }: RequestKind) {
    if (topic === '' || topic.includes('\0')) throw new FluxError('EINVAL', `${JSON.stringify(topic)}: not a topic`)
    this.topic = topic
    const bytes = Buffer.from(topic)
    this.head = new Uint8Array(1 + partBytes(bytes.length))
    writePart(this.head, 1, bytes)
    this.proto = new Uint8Array(1 + PROTO_BYTES)
    const present = FLAG.TOPIC | FLAG.PAYLOAD | FLAG.ROUTE
    writeProto(this.proto, 0, TYPE.REQUEST, flags | present, userid, rolemask, nodeid, 0)
  }
}

/** A growing buffer of requests, one after another, which is written to the socket in one go. */
export class SendBuffer {
  #bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #used = 0
  /** Bytes of `#bytes` that are in `#chunks` already. */
  #taken = 0
  #chunks: Uint8Array[] = []
  readonly #spare: Buffer<ArrayBuffer>[] = []

  get empty(): boolean {
    return this.#used === this.#taken && this.#chunks.length === 0
  }

  /**
   * Add a request with its frame header.
   *
   * @param payload - left out when empty. A large one is not copied: do not change it until the response has arrived
   */
  add(template: RequestTemplate, payload: Uint8Array | undefined, matchtag: number): void {
    const { head, proto } = template
    const length = payload?.length ?? 0
    const message = head.length + (length > 0 ? partBytes(length) : 0) + proto.length
    const apart = length >= BY_REFERENCE_BYTES
    const bytes = this.#reserve(FRAME_HEADER_BYTES + message - (apart ? length : 0))
    let at = writeFrameHeader(bytes, this.#used, message)
    bytes.set(head, at)
    at += head.length
    if (payload && apart) {
      this.#used = writePartLength(bytes, at, length)
      this.#seal()
      this.#chunks.push(payload)
      at = this.#used
    } else if (payload && length > 0) {
      at = writePart(bytes, at, payload)
    }
    bytes.set(proto, at)
    if (length === 0) bytes[at + 1 + PROTO_AT.FLAGS] = (bytes[at + 1 + PROTO_AT.FLAGS] as number) & ~FLAG.PAYLOAD
    writeU32(bytes, at + 1 + PROTO_AT.AUX2, matchtag)
    this.#used = at + proto.length
  }

  /** Take everything so far, in order. The caller owns it and gives it back with {@link SendBuffer.recycle}. */
  take(): Uint8Array[] {
    this.#seal()
    const chunks = this.#chunks
    this.#chunks = []
    this.#bytes = this.#spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)
    this.#used = this.#taken = 0
    return chunks
  }

  /** Give back what was taken, after it has been written. */
  recycle(chunks: readonly Uint8Array[]): void {
    // A single chunk is always our own buffer: a payload by reference has chunks around it.
    const [chunk] = chunks
    if (chunks.length !== 1 || chunk?.buffer.byteLength !== BUFFER_BYTES || this.#spare.length >= SPARE_BUFFERS) return
    this.#spare.push(Buffer.from(chunk.buffer as ArrayBuffer))
  }

  #seal(): void {
    if (this.#used === this.#taken) return
    this.#chunks.push(this.#bytes.subarray(this.#taken, this.#used))
    this.#taken = this.#used
  }

  #reserve(bytes: number): Buffer {
    const needed = this.#used + bytes
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
      // Copy only what is not yet in #chunks: those views stay in the old buffer.
      this.#bytes.copy(larger, this.#taken, this.#taken, this.#used)
      this.#bytes = larger
    }
    return this.#bytes
  }
}
