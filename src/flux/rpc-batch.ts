import { abortError, throwIfAborted } from '../errors/index.ts'
import type { Connection } from './connection.ts'
import type { Responder } from './matchtags.ts'
import type { MessageReader } from './message-reader.ts'
import { RpcFailure } from './rpc-call.ts'
import type { RequestTemplate } from './send-buffer.ts'
import type { Awaited } from './silence.ts'

/**
 * The payload of one response, possibly empty; or why the service refused.
 *
 * The bytes are a view of the buffer they were received in, which is never written to again, so they are good for as
 * long as they are held. But a view holds its whole buffer (64 KiB, or the message): copy small ones to keep them long.
 */
export type BatchResult = Uint8Array | RpcFailure

/** Whom the requests of a batch go to, and what ends the waiting. */
export interface RpcBatchOptions {
  /** The rank to ask; any when undefined. */
  nodeid?: number | undefined
  /** Gives the whole batch up; responses that are still to come are ignored. */
  signal?: AbortSignal | undefined
  /**
   * Called when the response to request `index` is in `results`, and its round trip in `roundTripMs`. It runs while what
   * was received is taken apart: keep it short. What it throws fails the batch.
   */
  onResponse?: ((index: number, batch: RpcBatch) => void) | undefined
  /** Hold no response longer than `onResponse` takes: in the end all results are empty. For many large ones. */
  forget?: boolean | undefined
}

const FORGOTTEN = new Uint8Array()

/** What became of a batch of requests, and when. Times are in milliseconds, on the clock of `performance.now()`. */
export interface RpcBatch {
  /** One for each request, in the order of the requests. */
  readonly results: readonly BatchResult[]
  /** When the requests were handed to the system. */
  readonly sentMs: number
  /** From there to each response, in the order of the requests. Responses received in one piece have the same. */
  readonly roundTripMs: Float64Array
  /** When the first response was received. */
  readonly firstResponseMs: number
  /** When the last one was. */
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
 * Send requests that differ in nothing but their payload, and wait for all responses.
 *
 * The hot path of a dump: nothing is allocated for a request, and for a response the view of its payload alone.
 *
 * @param payloads - one for each request, empty for none; unchanged until the response is in
 * @throws {FluxError} the connection ended, or the caller gave up. A refusal by the service is a result, no error.
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
    // Those before it are on their way, and their responses are counted as they come.
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
