import { parseJson, stringifyJson } from '../bytes/index.ts'
import { FluxError } from '../errors/index.ts'

/**
 * What JSON can say. A whole number beyond `Number.MAX_SAFE_INTEGER` is a bigint, as a job id may be; any other number is a
 * number.
 */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | { [name: string]: JsonValue }

/** What requests and responses carry when they do not carry bytes. */
export type JsonObject = { [name: string]: JsonValue }

/**
 * A JSON payload: the text of an object, and the NUL that is part of it.
 *
 * @param payload - an object, in which a bigint becomes a plain number; or its JSON text, for a caller that needs control over it: a number that must look real
 *   (`5.0`), as the timestamp of a checkpoint, does not survive `JSON.stringify`
 * @see RFC 3 "JSON payload"
 */
export function encodeJson(payload: object | string): Uint8Array {
  return Buffer.from(`${typeof payload === 'string' ? payload : stringifyJson(payload)}\0`)
}

/**
 * The object of a JSON payload; an empty one when there is no payload.
 *
 * @param what - for the error: whose payload it is
 * @throws {FluxError} `EPROTO` not the text of an object and a NUL
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

/** The text of a payload that ends in NUL, as JSON and error texts do. */
export function textOf(payload: Uint8Array): string {
  const end = payload.at(-1) === 0 ? payload.length - 1 : payload.length
  return Buffer.from(payload.buffer, payload.byteOffset, end).toString('utf8')
}
