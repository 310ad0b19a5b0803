import { abortError, throwIfAborted } from '../errors/index.ts'
import type { Connection } from './connection.ts'
import type { Responder } from './matchtags.ts'
import type { MessageReader } from './message-reader.ts'
import { RpcFailure } from './rpc-call.ts'
import type { RequestTemplate } from './send-buffer.ts'
import type { Awaited } from './silence.ts'

/**
 * The payload of one response, possibly empty; or the service's error.
 *
 * The bytes are a view of the receive buffer, which is never written to again, so they stay valid. But a view keeps its
 * whole buffer in memory (64 KiB, or the message). To keep a small payload for long, copy it.
 */
export type BatchResult = Uint8Array | RpcFailure

/** Where the requests of a batch go, and what ends the wait. */
export interface RpcBatchOptions {
  /** The rank to ask; any rank when undefined. */
  nodeid?: number | undefined
  /** Ends the wait for the whole batch. Later responses are ignored. */
  signal?: AbortSignal | undefined
  /**
   * Called when `results` has the response to request `index`, and `roundTripMs` its round-trip time. It runs while the
   * received chunk is being parsed, so keep it short. If it throws, the batch fails with that error.
   */
  onResponse?: ((index: number, batch: RpcBatch) => void) | undefined
  /** Drop each response after `onResponse`, so that all results are empty at the end. For many large responses. */
  forget?: boolean | undefined
}

const FORGOTTEN = new Uint8Array()

/** The results and times of a batch of requests. Times are in milliseconds, on the clock of `performance.now()`. */
export interface RpcBatch {
  /** One for each request, in the order of the requests. */
  readonly results: readonly BatchResult[]
  /** When the requests were written to the socket. */
  readonly sentMs: number
  /**
   * The time from `sentMs` to each response, in the order of the requests. Responses in one chunk have the same time.
   */
  readonly roundTripMs: Float64Array
  /** When the first response was received. */
  readonly firstResponseMs: number
  /** When the last response was received. */
  readonly lastResponseMs: number
}

class Batch implements RpcBatch, Responder {
  readonly results: BatchResult[]
  readonly roundTripMs: Float64Array
  sentMs = performance.now()
  firstResponseMs = 0
  lastResponseMs = 0
  readonly done: Promise<void>
  #left: number
  #failed = false
  #resolve: () => void
  #reject: (error: unknown) => void
  readonly #connection: Connection
  readonly awaited: Awaited
  readonly #onResponse: RpcBatchOptions['onResponse']
  readonly #forget: boolean

  constructor(connection: Connection, topic: string, size: number, { onResponse, forget = false }: RpcBatchOptions) {
    this.results = new Array(size)
    this.roundTripMs = new Float64Array(size).fill(Number.NaN)
    this.#left = size
    this.awaited = { what: topic, rule: 'fails' }
    this.#connection = connection
    this.#onResponse = onResponse
    this.#forget = forget
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.done = promise
    this.#resolve = resolve
    this.#reject = reject
  }

  sent(nowMs: number): void {
    this.sentMs = nowMs
  }

  respond(index: number, response: MessageReader, nowMs: number): boolean {
    const { bytes, payloadStart, payloadEnd } = response
    this.results[index] =
      response.aux1 === 0
        ? new Uint8Array(bytes.buffer, bytes.byteOffset + payloadStart, payloadEnd - payloadStart)
        : new RpcFailure(response)
    this.roundTripMs[index] = nowMs - this.sentMs
    if (this.firstResponseMs === 0) this.firstResponseMs = nowMs
    this.lastResponseMs = nowMs
    if (this.#onResponse && !this.#failed) {
      try {
        this.#onResponse(index, this)
      } catch (error) {
        this.fail(error)
      }
    }
    if (this.#forget) this.results[index] = FORGOTTEN
    this.#connection.waiting(-1)
    if (--this.#left === 0) this.#resolve()
    return true
  }

  fail(error: unknown): void {
    this.#failed = true
    this.#reject(error)
  }
}

/**
 * Send requests that differ only in their payload, and wait for all responses.
 *
 * This is the hot path of a dump. Nothing is allocated for a request, and only a view of the payload for a response.
 *
 * @param payloads - one for each request, empty for no payload; do not change them until the responses have arrived
 * @throws {FluxError} the connection ended, or the signal was aborted. An error response of the service is a result
 */
export async function callBatch(
  connection: Connection,
  template: RequestTemplate,
  payloads: readonly Uint8Array[],
  options: RpcBatchOptions = {},
): Promise<RpcBatch> {
  const { signal } = options
  connection.assertOpen()
  throwIfAborted(signal, template.topic)
  const size = payloads.length
  const batch = new Batch(connection, template.topic, size, options)
  if (size === 0) return batch
  const tags = signal && new Uint32Array(size)
  try {
    for (let i = 0; i < size; i++) {
      const tag = connection.request(template, payloads[i], batch, i)
      connection.waiting(1)
      if (tags) tags[i] = tag
    }
  } catch (error) {
    // The requests before this one are queued already; their responses still count down `waiting`.
    batch.done.catch(() => {})
    batch.fail(error)
    throw error
  }
  connection.onSent(batch)
  if (!signal) {
    await batch.done
    return batch
  }
  const onAbort = () => {
    tags?.forEach((tag, i) => {
      if (batch.results[i] !== undefined) return
      connection.abandon(tag, batch)
      connection.waiting(-1)
    })
    batch.fail(abortError(signal, template.topic))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await batch.done
    return batch
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
