import { abortError, errnoNumber, type FluxError, throwIfAborted } from '../errors/index.ts'
import type { Connection } from './connection.ts'
import type { Responder } from './matchtags.ts'
import type { MessageReader } from './message-reader.ts'
import { RpcFailure } from './rpc-call.ts'
import type { RequestTemplate } from './send-buffer.ts'
import type { Awaited, SilenceRule } from './silence.ts'

/** A stream is full when this much is queued. Then the socket is not read on its account. */
export const STREAM_QUEUE_BYTES = 1 << 20

/** What an item costs besides its payload, in bytes. */
const ITEM_BYTES = 64

/** Taken items are removed from the queue when there are this many: a queue that is never empty would keep them all. */
const CUT_ITEMS = 1024

/** A request with many responses, which are queued until the consumer takes them. */
class Stream implements Responder {
  /** True when no more responses will come. */
  ended = false
  /** Why the stream failed; undefined when it did not. */
  failure: RpcFailure | FluxError | undefined
  readonly #connection: Connection
  readonly #awaited: Awaited
  #queue: Uint8Array[] = []
  #next = 0
  #queuedBytes = 0
  #full = false
  #wake: (() => void) | undefined

  constructor(connection: Connection, awaited: Awaited) {
    this.#connection = connection
    this.#awaited = awaited
  }

  /** Undefined while the consumer does not wait for an item. */
  get awaited(): Awaited | undefined {
    return this.#wake && this.#awaited
  }

  respond(_index: number, response: MessageReader): boolean {
    if (response.aux1 === 0) {
      // A copy: the item may stay queued for long, and a view would keep its whole receive buffer. That is a Buffer,
      // whose slice() is a view.
      const payload = new Uint8Array(response.payload())
      this.#queue.push(payload)
      this.#count(payload.length + ITEM_BYTES)
    } else {
      this.#end(response.aux1 === errnoNumber('ENODATA') ? undefined : new RpcFailure(response))
    }
    this.#wake?.()
    return this.ended
  }

  fail(error: FluxError): void {
    this.#end(error)
    this.#wake?.()
  }

  /** The next payload; undefined when no more will come. */
  async take(): Promise<Uint8Array | undefined> {
    while (this.#next === this.#queue.length && !this.ended) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      this.#connection.waiting(1)
      await promise
      this.#wake = undefined
      this.#connection.waiting(-1)
    }
    const payload = this.#queue[this.#next]
    if (!payload) return undefined
    this.#next++
    if (this.#next === this.#queue.length || this.#next >= CUT_ITEMS) {
      this.#queue.splice(0, this.#next)
      this.#next = 0
    }
    this.#count(-payload.length - ITEM_BYTES)
    return payload
  }

  /** Drop the items that have not been taken. */
  drop(): void {
    this.#queue = []
    this.#next = 0
    this.#count(-this.#queuedBytes)
  }

  #count(bytes: number): void {
    this.#queuedBytes += bytes
    const full = this.#queuedBytes >= STREAM_QUEUE_BYTES
    if (full === this.#full) return
    this.#full = full
    this.#connection.full(full ? 1 : -1)
  }

  #end(failure: RpcFailure | FluxError | undefined): void {
    this.ended = true
    this.failure ??= failure
  }
}

/**
 * Send a request that has many responses.
 *
 * @param cancel - called with the matchtag when the consumer stops before the end
 * @yields the payloads, as copies. The request is sent when the first one is asked for
 * @returns the error response that ended the stream; undefined for ENODATA
 * @throws {FluxError} the connection ended, or the signal was aborted
 */
export async function* callStream(
  connection: Connection,
  template: RequestTemplate,
  payload: Uint8Array | undefined,
  cancel: (matchtag: number) => void,
  { signal, silence: rule = 'fails' }: { signal?: AbortSignal | undefined; silence?: SilenceRule | undefined } = {},
): AsyncGenerator<Uint8Array, RpcFailure | undefined, void> {
  throwIfAborted(signal, template.topic)
  const stream = new Stream(connection, { what: template.topic, rule })
  const tag = connection.request(template, payload, stream)
  const stop = () => {
    // After the end the matchtag is free, and another request may have it.
    if (!stream.ended) {
      connection.abandon(tag, stream, true)
      cancel(tag)
    }
    stream.drop()
  }
  const onAbort = () => {
    stop()
    stream.fail(abortError(signal as AbortSignal, template.topic))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    for (let item = await stream.take(); item; item = await stream.take()) yield item
    const { failure } = stream
    if (failure === undefined || failure instanceof RpcFailure) return failure
    throw failure
  } finally {
    signal?.removeEventListener('abort', onAbort)
    stop()
  }
}
