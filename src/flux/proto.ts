/**
 * The last part of every message: 20 bytes of fixed fields, integers big-endian.
 *
 *      0   8e            magic
 *      1   01            version
 *      2   type
 *      3   flags
 *      4   u32 userid
 *      8   u32 rolemask
 *     12   u32           request: nodeid    response: errnum    event: sequence   control: type
 *     16   u32           request, response: matchtag            event: 0          control: status
 *
 * @see RFC 3 "PROTO"; flux-core `src/common/libflux/message_proto.c`
 */

/** Message types, as in PROTO. */
export const TYPE = { REQUEST: 1, RESPONSE: 2, EVENT: 4, CONTROL: 8 } as const

/** Message flags, as in PROTO. `TOPIC`, `PAYLOAD` and `ROUTE` follow from what a message has. */
export const FLAG = {
  TOPIC: 0x01,
  PAYLOAD: 0x02,
  NORESPONSE: 0x04,
  /** The message has a route delimiter, after its routes if it has any. */
  ROUTE: 0x08,
  UPSTREAM: 0x10,
  PRIVATE: 0x20,
  STREAMING: 0x40,
  USER1: 0x80,
} as const

/** Any rank: the local broker if it has the service, or else the next broker towards rank 0. */
export const NODEID_ANY = 0xffffffff
/** The userid in a client's request: the broker fills in the sender's. */
export const USERID_UNKNOWN = 0xffffffff
/** The rolemask in a client's request: the broker fills in the sender's. */
export const ROLE_NONE = 0
/** The matchtag of a request that gets no response. */
export const MATCHTAG_NONE = 0

/** Length of PROTO, without its length byte. */
export const PROTO_BYTES = 20
export const PROTO_MAGIC = 0x8e
export const PROTO_VERSION = 1
/** Offsets of the fields in PROTO. */
export const PROTO_AT = { TYPE: 2, FLAGS: 3, USERID: 4, ROLEMASK: 8, AUX1: 12, AUX2: 16 } as const

/** A part of this length or more has a length field of five bytes: this value, and a u32. */
export const LONG_PART = 255

/** Read a big-endian number of 32 bits, unsigned. */
export function u32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}

/** Write a big-endian number of 32 bits. */
export function writeU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}

/** Write PROTO as a part. @returns the offset after it */
export function writeProto(
  target: Uint8Array,
  at: number,
  type: number,
  flags: number,
  userid: number,
  rolemask: number,
  aux1: number,
  aux2: number,
): number {
  target[at] = PROTO_BYTES
  const proto = at + 1
  target[proto] = PROTO_MAGIC
  target[proto + 1] = PROTO_VERSION
  target[proto + PROTO_AT.TYPE] = type
  target[proto + PROTO_AT.FLAGS] = flags
  writeU32(target, proto + PROTO_AT.USERID, userid)
  writeU32(target, proto + PROTO_AT.ROLEMASK, rolemask)
  writeU32(target, proto + PROTO_AT.AUX1, aux1)
  writeU32(target, proto + PROTO_AT.AUX2, aux2)
  return proto + PROTO_BYTES
}

/** Number of bytes that a part takes with its length field. */
export function partBytes(length: number): number {
  return length < LONG_PART ? 1 + length : 5 + length
}

/** Write the length field of a part. @returns the offset after it */
export function writePartLength(target: Uint8Array, at: number, length: number): number {
  if (length < LONG_PART) {
    target[at] = length
    return at + 1
  }
  target[at] = LONG_PART
  writeU32(target, at + 1, length)
  return at + 5
}

/** Write a part. @returns the offset after it */
export function writePart(target: Uint8Array, at: number, part: Uint8Array): number {
  const start = writePartLength(target, at, part.length)
  target.set(part, start)
  return start + part.length
}
