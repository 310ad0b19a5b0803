/**
 * Whole messages of RFC 3, to bytes and back: what a broker does, and so what tests of a client need. The client itself
 * reads a message in place, and writes requests into its send buffer.
 *
 * A message is a run of parts, each a length and its bytes: routes up to an empty part (the delimiter), topic, payload,
 * and last the PROTO part, 20 bytes of fixed fields. Flags in PROTO say which of the others are there. So a reader looks
 * at the end first, then walks the parts once. Nothing here does I/O.
 *
 * Two things the RFC has otherwise: topics and routes carry no NUL, and the delimiter of a request may be left out.
 *
 * @see RFC 3; flux-core `src/common/libflux/message.c`, `message_proto.c`
 */
import { FluxError } from '../../src/errors/index.ts'
import { MessageReader } from '../../src/flux/message-reader.ts'
import { FLAG, PROTO_BYTES, partBytes, TYPE, writePart, writeProto } from '../../src/flux/proto.ts'
import { ProtocolError } from '../../src/flux/rpc-error.ts'

/** What follows from the parts that a message has. */
const PRESENCE = FLAG.TOPIC | FLAG.PAYLOAD | FLAG.ROUTE

interface MessageFields {
  /** Bits of {@link FLAG}, without those that say which parts are there. */
  flags: number
  /** Connection ids, outermost first. Undefined when the delimiter is missing too; a client sends an empty list. */
  routes?: readonly Uint8Array[] | undefined
  topic?: string | undefined
  /** Never empty: an empty payload is no payload. */
  payload?: Uint8Array | undefined
  userid: number
  rolemask: number
}

export interface RequestMessage extends MessageFields {
  type: 'request'
  /** A rank, or {@link NODEID_ANY}. With `FLAG.UPSTREAM`, the sender's own rank. */
  nodeid: number
  matchtag: number
}

export interface ResponseMessage extends MessageFields {
  type: 'response'
  /** 0 for success. */
  errnum: number
  matchtag: number
}

export interface EventMessage extends MessageFields {
  type: 'event'
  sequence: number
}

export interface ControlMessage extends MessageFields {
  type: 'control'
  controlType: number
  status: number
}

export type Message = RequestMessage | ResponseMessage | EventMessage | ControlMessage

/**
 * Decode one message.
 *
 * @param bytes - the message alone, without the framing of a connector
 * @returns routes and payload are views of `bytes`
 * @throws {ProtocolError} when it is not a message, or of a type that does not exist
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new MessageReader()
  reader.read(bytes, 0, bytes.length)
  return messageOf(reader)
}

/** The message that `reader` has just read. Routes and payload are views. */
export function messageOf(reader: MessageReader): Message {
  const { flags, userid, rolemask, aux1, aux2 } = reader
  const fields: MessageFields = {
    flags: flags & ~PRESENCE,
    routes: flags & FLAG.ROUTE ? reader.routes() : undefined,
    topic: flags & FLAG.TOPIC ? reader.topic() : undefined,
    payload: reader.payloadEnd > reader.payloadStart ? reader.payload() : undefined,
    userid,
    rolemask,
  }
  switch (reader.type) {
    case TYPE.REQUEST:
      return { type: 'request', ...fields, nodeid: aux1, matchtag: aux2 }
    case TYPE.RESPONSE:
      return { type: 'response', ...fields, errnum: aux1, matchtag: aux2 }
    case TYPE.EVENT:
      return { type: 'event', ...fields, sequence: aux1 }
    case TYPE.CONTROL:
      return { type: 'control', ...fields, controlType: aux1, status: aux2 }
    default:
      throw new ProtocolError(reader.payloadEnd, 'a message type of 1, 2, 4 or 8', `${reader.type}`)
  }
}

/**
 * Encode one message into a buffer of its own.
 * @throws {FluxError} `EINVAL` an empty route, or a topic with a NUL
 */
export function encodeMessage(message: Message): Uint8Array {
  const bytes = Buffer.allocUnsafe(messageBytes(message))
  writeMessage(message, bytes, 0)
  return bytes
}

/** Number of bytes that {@link writeMessage} will write. */
export function messageBytes({ routes, topic, payload }: Message): number {
  let bytes = 1 + PROTO_BYTES
  if (routes) {
    for (const route of routes) bytes += partBytes(route.length)
    bytes += 1
  }
  if (topic !== undefined) bytes += partBytes(Buffer.byteLength(topic, 'utf8'))
  if (payload && payload.length > 0) bytes += partBytes(payload.length)
  return bytes
}

/**
 * Write one message into `target`, which has room for {@link messageBytes} bytes at `at`.
 *
 * @returns where the next byte goes
 * @throws {FluxError} `EINVAL` an empty route, or a topic with a NUL
 */
export function writeMessage(message: Message, target: Uint8Array, at: number): number {
  const { routes, topic, payload, userid, rolemask } = message
  let flags = message.flags & ~PRESENCE
  let next = at
  if (routes) {
    flags |= FLAG.ROUTE
    for (const route of routes) {
      if (route.length === 0) throw new FluxError('EINVAL', 'a route of a message cannot be empty')
      next = writePart(target, next, route)
    }
    target[next++] = 0
  }
  if (topic !== undefined) {
    if (topic.includes('\0')) throw new FluxError('EINVAL', 'a topic cannot hold a NUL')
    flags |= FLAG.TOPIC
    next = writePart(target, next, Buffer.from(topic, 'utf8'))
  }
  if (payload && payload.length > 0) {
    flags |= FLAG.PAYLOAD
    next = writePart(target, next, payload)
  }
  switch (message.type) {
    case 'request':
      return writeProto(target, next, TYPE.REQUEST, flags, userid, rolemask, message.nodeid, message.matchtag)
    case 'response':
      return writeProto(target, next, TYPE.RESPONSE, flags, userid, rolemask, message.errnum, message.matchtag)
    case 'event':
      return writeProto(target, next, TYPE.EVENT, flags, userid, rolemask, message.sequence, 0)
    case 'control':
      return writeProto(target, next, TYPE.CONTROL, flags, userid, rolemask, message.controlType, message.status)
  }
}
