import { abortError, errnoNumber, type FluxError, throwIfAborted } from '../errors/index.ts'
import type { Connection } from './connection.ts'
import type { Responder } from './matchtags.ts'
import type { MessageReader } from './message-reader.ts'
import { RpcFailure } from './rpc-call.ts'
import type { RequestTemplate } from './send-buffer.ts'
import type { Awaited, SilenceRule } from './silence.ts'

/** A stream whose consumer is this far behind is full: the socket is not read for its sake any more. */
export const STREAM_QUEUE_BYTES = 1 << 20

/** What an item costs beside its payload. */
const ITEM_BYTES = 64

/** From so many taken items on, the queue is cut: one that is never empty would keep them all. */
const CUT_ITEMS = 1024

/** A request with many responses, which wait in a queue until somebody takes them. */
class Stream implements Responder {
  /** No more will come. */
  ended = false
  /** Why it ended, unless it ended well. */
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

  /** Undefined while nobody wants the next item. */
  get awaited(): Awaited | undefined {
    return this.#wake && this.#awaited
  }

  respond(_index: number, response: MessageReader): boolean {
    if (response.aux1 === 0) {
      // A copy: it may wait for long, and would keep all it was received with.
      const payload = response.payload().slice()
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

  /** Forget what has not been taken. */
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
 * @param cancel - sent with the matchtag when the consumer stops before the end
 * @returns the payloads, as copies. The request is sent when the first is asked for.
 * @throws {FluxError} the connection ended, or the signal was aborted; or, as {@link RpcFailure}, the service refused
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
    // One that has ended has given its matchtag back: it may be a stranger's now.
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
