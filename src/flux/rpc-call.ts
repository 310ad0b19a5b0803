import { abortError, type ErrnoName, errnoName, FluxError, throwIfAborted } from '../errors/index.ts'
import type { Connection } from './connection.ts'
import { textOf } from './json-payload.ts'
import type { Responder } from './matchtags.ts'
import type { MessageReader } from './message-reader.ts'
import { errnumText, RpcError } from './rpc-error.ts'
import type { RequestTemplate } from './send-buffer.ts'
import type { Awaited, SilenceRule } from './silence.ts'

/** The most bytes of an error text that are kept: one line with what is said around it. Flux's own texts are short. */
const TEXT_BYTES = 800

/** The error response of a service, as data. {@link toError} makes the {@link RpcError} to throw. */
export class RpcFailure {
  /** Positive, as on the wire. */
  readonly errnum: number
  /** The error text of the response, its first 1000 bytes; undefined when it has none. */
  readonly text: string | undefined

  /**
   * @internal
   * @param response - a response whose errnum is not 0
   */
  constructor(response: MessageReader) {
    this.errnum = response.aux1
    this.text = response.payloadEnd > response.payloadStart ? errorTextOf(response.payload()) : undefined
  }

  /** The name of `errnum`; `EIO` for one that the errno table lacks. */
  get code(): ErrnoName {
    return errnoName(this.errnum) ?? 'EIO'
  }

  /** The broker's error text, or else the text of the errno. */
  get message(): string {
    return this.text ?? errnumText(this.errnum)
  }

  /** The error to throw. @param topic - the topic of the request */
  toError(topic: string, nodeid: number | undefined): RpcError {
    return new RpcError(topic, this.errnum, { text: this.text, nodeid })
  }
}

function errorTextOf(payload: Uint8Array): string {
  return payload.length <= TEXT_BYTES ? textOf(payload) : `${textOf(payload.subarray(0, TEXT_BYTES))}…`
}

/** How long to wait for a response. */
export interface WaitOptions {
  /** Ends the wait. A later response is ignored. */
  signal?: AbortSignal | undefined
  /** Milliseconds to wait for the response; 0, the default, waits for ever. */
  timeoutMs?: number | undefined
  /**
   * What happens when the broker is silent, if the handle was opened with a silence option (default `fails`). Use
   * `told` for a request that takes long by nature, and `allowed` for one that is answered when an event happens.
   */
  silence?: SilenceRule | undefined
}

/** One request that has one response. */
class Call<T> implements Responder {
  readonly awaited: Awaited
  readonly outcome: Promise<T | RpcFailure>
  readonly #resolve: (outcome: T | RpcFailure) => void
  readonly #reject: (error: unknown) => void
  readonly #decode: (response: MessageReader) => T

  constructor(awaited: Awaited, decode: (response: MessageReader) => T) {
    this.awaited = awaited
    const { promise, resolve, reject } = Promise.withResolvers<T | RpcFailure>()
    this.outcome = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#decode = decode
  }

  respond(_index: number, response: MessageReader): boolean {
    try {
      this.#resolve(response.aux1 === 0 ? this.#decode(response) : new RpcFailure(response))
    } catch (error) {
      this.#reject(error)
    }
    return true
  }

  fail(error: unknown): void {
    this.#reject(error)
  }
}

/**
 * Send a request and wait for its response.
 *
 * @param decode - makes the result from a response whose errnum is 0. The response is valid only during the call
 * @returns the result of `decode`, or the error response
 * @throws {FluxError} what `decode` throws; `ECONNRESET`, `EPROTO`, `ECANCELED` the connection ended; `ETIMEDOUT`;
 *   `EINTR`
 */
export async function call<T>(
  connection: Connection,
  template: RequestTemplate,
  payload: Uint8Array | undefined,
  decode: (response: MessageReader) => T,
  { signal, timeoutMs = 0, silence: rule = 'fails' }: WaitOptions = {},
): Promise<T | RpcFailure> {
  const { topic } = template
  throwIfAborted(signal, topic)
  const call = new Call({ what: topic, rule }, decode)
  const tag = connection.request(template, payload, call)
  connection.waiting(1)
  const giveUp = (error: FluxError) => {
    connection.abandon(tag, call)
    call.fail(error)
  }
  const onAbort = () => giveUp(abortError(signal as AbortSignal, topic))
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer =
    timeoutMs > 0 &&
    setTimeout(() => giveUp(new FluxError('ETIMEDOUT', `${topic}: no response within ${timeoutMs} ms`)), timeoutMs)
  try {
    return await call.outcome
  } finally {
    connection.waiting(-1)
    if (timer) clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
