import { errnoName, errnoText, FluxError, type FluxErrorOptions } from '../errors/index.ts'

/** What an {@link RpcError} has besides its message. */
export interface RpcErrorOptions extends FluxErrorOptions {
  /** The rank that was asked; undefined for any rank. */
  nodeid?: number | undefined
  /** The error text of the response, as the broker sent it. */
  text?: string | undefined
}

/**
 * A service answered with an error.
 *
 * The message is the topic and the broker's own text, unchanged; or else the text of the errno. `code` is `EIO` for a
 * number that the errno table lacks; `errnum` always has the number itself.
 *
 * @see RFC 3 "Response message", errnum; RFC 6 "Remote procedure call"
 */
export class RpcError extends FluxError {
  /** The topic of the request, e.g. `kvs.getroot`. */
  readonly topic: string
  /** The rank that was asked; undefined for any rank. */
  readonly nodeid: number | undefined
  /** The error text of the response, as the broker sent it; undefined when it sent none. */
  readonly text: string | undefined
  readonly #errnum: number

  constructor(topic: string, errnum: number, options: RpcErrorOptions = {}) {
    super(errnoName(errnum) ?? 'EIO', `${topic}: ${options.text ?? errnumText(errnum)}`, options)
    this.topic = topic
    this.nodeid = options.nodeid
    this.text = options.text
    this.#errnum = errnum
  }

  override get errnum(): number {
    return this.#errnum
  }
}

/** The text of an errno number from the wire; `errno 999` for a number that the table lacks. */
export function errnumText(errnum: number): string {
  const name = errnoName(errnum)
  return name === undefined ? `errno ${errnum}` : errnoText(name)
}

/** The peer sent bytes that are not the protocol. */
export class ProtocolError extends FluxError {
  /** Offset of the unexpected bytes: in the stream, or in the message when a message is read by itself. */
  readonly offset: number
  readonly expected: string
  readonly got: string

  constructor(offset: number, expected: string, got: string, options: FluxErrorOptions = {}) {
    super('EPROTO', `not the Flux protocol: expected ${expected} at byte ${offset}, got ${got}`, options)
    this.offset = offset
    this.expected = expected
    this.got = got
  }
}
