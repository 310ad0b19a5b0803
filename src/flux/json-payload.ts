import { parseJson, stringifyJson } from '../bytes/index.ts'
import { FluxError } from '../errors/index.ts'

/**
 * A JSON value. A whole number that is not a safe integer is a bigint (a job id may be one); any other number is a
 * number.
 */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | { [name: string]: JsonValue }

/** The payload of requests and responses that do not carry bytes. */
export type JsonObject = { [name: string]: JsonValue }

/**
 * Encode a JSON payload: the text of an object, and a NUL, which is part of the payload.
 *
 * @param payload - an object, in which a bigint becomes a plain number; or its JSON text. A caller passes text to
 *   control how numbers look: `JSON.stringify` would turn the timestamp `5.0` of a checkpoint into `5`
 * @see RFC 3 "JSON payload"
 */
export function encodeJson(payload: object | string): Uint8Array {
  return Buffer.from(`${typeof payload === 'string' ? payload : stringifyJson(payload)}\0`)
}

/**
 * Decode a JSON payload.
 *
 * @param what - the topic, for the error
 * @returns the object; an empty one when there is no payload
 * @throws {FluxError} `EPROTO` the payload is not the text of an object followed by a NUL
 */
export function decodeJson(payload: Uint8Array, what: string): JsonObject {
  const { length } = payload
  if (length === 0) return {}
  let value: JsonValue | undefined
  let cause: unknown
  if (payload[length - 1] === 0) {
    try {
      value = parseJson(textOf(payload)) as JsonValue
    } catch (error) {
      cause = error
    }
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value
  throw new FluxError('EPROTO', `${what}: the payload is not a JSON object`, { cause })
}

/** The text of a payload, without the NUL that ends JSON and error texts. */
export function textOf(payload: Uint8Array): string {
  const end = payload.at(-1) === 0 ? payload.length - 1 : payload.length
  return Buffer.from(payload.buffer, payload.byteOffset, end).toString('utf8')
}
