import { FLAG, LONG_PART, PROTO_AT, PROTO_BYTES, PROTO_MAGIC, PROTO_VERSION, u32 } from './proto.ts'
import { ProtocolError } from './rpc-error.ts'

/**
 * Finds the parts of a message (RFC 3) without allocating. A connection uses one reader for all its messages.
 *
 * The fields and offsets are valid from one {@link MessageReader.read} to the next. All numbers are unsigned.
 */
export class MessageReader {
  bytes: Uint8Array = new Uint8Array()
  type = 0
  /** All bits, as on the wire. */
  flags = 0
  userid = 0
  rolemask = 0
  /** Request: nodeid; response: errnum; event: sequence; control: type. */
  aux1 = 0
  /** Request and response: matchtag; control: status. */
  aux2 = 0
  routesStart = 0
  /** Where the routes end, without the delimiter. */
  routesEnd = 0
  topicStart = 0
  topicEnd = 0
  payloadStart = 0
  payloadEnd = 0
  /** The start of the part that {@link MessageReader.#part} found last. */
  #partStart = 0

  /**
   * Find the parts of the message at `start` … `end` of `bytes`.
   *
   * @throws {ProtocolError} the parts do not add up to a message. Its offset is within `bytes`
   */
  read(bytes: Uint8Array, start: number, end: number): void {
    const proto = end - PROTO_BYTES
    if (proto - 1 < start) {
      throw new ProtocolError(start, `a message of ${PROTO_BYTES + 1} bytes or more`, `${end - start}`)
    }
    if (bytes[proto] !== PROTO_MAGIC || bytes[proto + 1] !== PROTO_VERSION) {
      throw new ProtocolError(proto, '8e 01', hex(bytes, proto, proto + 2))
    }
    this.bytes = bytes
    this.type = bytes[proto + PROTO_AT.TYPE] as number
    const flags = (this.flags = bytes[proto + PROTO_AT.FLAGS] as number)
    this.userid = u32(bytes, proto + PROTO_AT.USERID)
    this.rolemask = u32(bytes, proto + PROTO_AT.ROLEMASK)
    this.aux1 = u32(bytes, proto + PROTO_AT.AUX1)
    this.aux2 = u32(bytes, proto + PROTO_AT.AUX2)
    let at = start
    this.routesStart = this.routesEnd = at
    if (flags & FLAG.ROUTE) {
      for (;;) {
        const partEnd = this.#part(at, proto)
        if (partEnd === this.#partStart) {
          this.routesEnd = at
          at = partEnd
          break
        }
        at = partEnd
      }
    }
    this.topicStart = this.topicEnd = at
    if (flags & FLAG.TOPIC) {
      this.topicEnd = at = this.#part(at, proto)
      this.topicStart = this.#partStart
    }
    this.payloadStart = this.payloadEnd = at
    if (flags & FLAG.PAYLOAD) {
      this.payloadEnd = at = this.#part(at, proto)
      this.payloadStart = this.#partStart
    }
    if (this.#part(at, end) !== end || this.#partStart !== proto) {
      throw new ProtocolError(at, 'the PROTO part', `a part that ends at byte ${this.#partStart}`)
    }
  }

  /** The payload, possibly empty: a view of the bytes that were read. */
  payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.payloadEnd)
  }

  topic(): string {
    const { buffer, byteOffset, byteLength } = this.bytes
    return Buffer.from(buffer, byteOffset, byteLength).toString('utf8', this.topicStart, this.topicEnd)
  }

  /** Find the part whose length field is at `at`, and set `#partStart`. @returns the end of the part */
  #part(at: number, limit: number): number {
    const { bytes } = this
    let start = at + 1
    if (start > limit) throw new ProtocolError(at, 'a part', 'the end of the message')
    let length = bytes[at] as number
    if (length === LONG_PART) {
      start = at + 5
      if (start > limit) throw new ProtocolError(at, 'a part', 'the end of the message')
      length = u32(bytes, at + 1)
    }
    if (length > limit - start) {
      throw new ProtocolError(at, `a part of at most ${limit - start} bytes`, `one of ${length}`)
    }
    this.#partStart = start
    return start + length
  }

  routes(): Uint8Array[] {
    const routes: Uint8Array[] = []
    for (let at = this.routesStart; at < this.routesEnd; ) {
      const end = this.#part(at, this.routesEnd)
      routes.push(this.bytes.subarray(this.#partStart, end))
      at = end
    }
    return routes
  }
}

function hex(bytes: Uint8Array, start: number, end: number): string {
  return Array.from(bytes.subarray(start, end), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}
