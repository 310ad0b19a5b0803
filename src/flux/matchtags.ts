import { FluxError } from '../errors/index.ts'
import type { MessageReader } from './message-reader.ts'
import type { Awaited } from './silence.ts'

/** Whoever waits for the responses to one or more requests. None of these may throw. */
export interface Responder {
  /**
   * Take a response.
   *
   * @param index - which of the responder's requests it answers
   * @param response - good for this call only
   * @param nowMs - when it was received, on the clock of `performance.now()`
   * @returns true when it is the last one to that request
   */
  respond(index: number, response: MessageReader, nowMs: number): boolean
  /** No response will come any more. */
  fail(error: FluxError): void
  /** What is waited for at this time, and what silence means for it; undefined when nobody waits. */
  readonly awaited?: Awaited | undefined
}

/** Of what a caller no longer waits for, while the broker has not answered yet. */
class Abandoned implements Responder {
  readonly #streaming: boolean
  constructor(streaming: boolean) {
    this.#streaming = streaming
  }
  respond(_index: number, response: MessageReader): boolean {
    return !this.#streaming || response.aux1 !== 0
  }
  fail(): void {}
}

const ABANDONED = new Abandoned(false)
const ABANDONED_STREAM = new Abandoned(true)

/** Matchtags are as many as requests are in flight: far fewer than this, unless they leak. */
const MAX_MATCHTAGS = 1 << 24

/**
 * The matchtags in use and who waits on each. A new request gets the lowest that is free, from 1, as the C library has
 * it: so the table is dense, and a look-up is an array access.
 */
export class Matchtags {
  /** By matchtag. */
  #responders: (Responder | undefined)[] = [undefined]
  /** By matchtag: which request of the responder. */
  #index: number[] = [0]
  /** None below this one is free. */
  #lowest = 1
  #inUse = 0

  /** How many are in use, those of abandoned requests included. */
  get inUse(): number {
    return this.#inUse
  }

  /** @throws {FluxError} `EAGAIN` millions of requests are in flight */
  allocate(responder: Responder, index: number): number {
    const responders = this.#responders
    let tag = this.#lowest
    while (tag < responders.length && responders[tag] !== undefined) tag++
    if (tag > MAX_MATCHTAGS) {
      throw new FluxError('EAGAIN', `${MAX_MATCHTAGS} requests are in flight`, { hint: 'wait for some of them first' })
    }
    responders[tag] = responder
    this.#index[tag] = index
    this.#lowest = tag + 1
    this.#inUse++
    return tag
  }

  /** Hand a response to whoever waits for it. One to a matchtag that is not in use is ignored. */
  respond(response: MessageReader, nowMs: number): void {
    const tag = response.aux2
    const responder = this.#responders[tag]
    if (!responder?.respond(this.#index[tag] as number, response, nowMs)) return
    this.#responders[tag] = undefined
    this.#inUse--
    if (tag < this.#lowest) this.#lowest = tag
  }

  /** What is waited for: the first that fails by silence, else the first that is told, else whatever there is. */
  get awaited(): Awaited | undefined {
    let first: Awaited | undefined
    for (const responder of this.#responders) {
      const awaited = responder?.awaited
      if (awaited?.rule === 'fails') return awaited
      if (awaited && (first === undefined || first.rule === 'allowed')) first = awaited
    }
    return first
  }

  /** Nobody waits any more. The matchtag stays in use until the last response has come, so that it finds no stranger. */
  abandon(tag: number, responder: Responder, streaming: boolean): void {
    // It may have been answered just now, and its matchtag given to a stranger.
    if (this.#responders[tag] === responder) this.#responders[tag] = streaming ? ABANDONED_STREAM : ABANDONED
  }

  /** Tell everybody that no response will come, and forget them. */
  failAll(error: FluxError): void {
    const responders = this.#responders
    this.#responders = [undefined]
    this.#lowest = 1
    this.#inUse = 0
    // A batch stands here once for each of its requests.
    for (const responder of new Set(responders)) responder?.fail(error)
  }
}
