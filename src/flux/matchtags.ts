import { FluxError } from '../errors/index.ts'
import type { MessageReader } from './message-reader.ts'
import type { Awaited } from './silence.ts'

/** Receives the responses to one or more requests. Its methods must not throw. */
export interface Responder {
  /**
   * Take a response.
   *
   * @param index - which of the responder's requests it answers
   * @param response - valid only during this call
   * @param nowMs - when it was received, on the clock of `performance.now()`
   * @returns true when it is the last response to that request
   */
  respond(index: number, response: MessageReader, nowMs: number): boolean
  /** No response will come any more. */
  fail(error: FluxError): void
  /** What the responder waits for now, and what silence means for it; undefined when it waits for nothing. */
  readonly awaited?: Awaited | undefined
}

/** The responder of requests that the caller has abandoned and the broker has not answered yet. */
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

/** The most requests in flight. Only a leak of matchtags can reach it. */
const MAX_MATCHTAGS = 1 << 24

/**
 * The matchtags in use, and the responder of each. A new request gets the lowest free matchtag, from 1, as in the C
 * library. So the table is dense, and a look-up is an array access.
 */
export class Matchtags {
  /** Responders by matchtag. */
  #responders: (Responder | undefined)[] = [undefined]
  /** By matchtag, which request of its responder it is. */
  #index: number[] = [0]
  /** No matchtag below this one is free. */
  #lowest = 1
  #inUse = 0

  /** Number of matchtags in use, including those of abandoned requests. */
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

  /** Pass a response to its responder. A response to a matchtag that is not in use is ignored. */
  respond(response: MessageReader, nowMs: number): void {
    const tag = response.aux2
    const responder = this.#responders[tag]
    if (!responder?.respond(this.#index[tag] as number, response, nowMs)) return
    this.#responders[tag] = undefined
    this.#inUse--
    if (tag < this.#lowest) this.#lowest = tag
  }

  /** What is waited for: the first with the rule `fails`, or else the first with `told`, or else the first of all. */
  get awaited(): Awaited | undefined {
    let first: Awaited | undefined
    for (const responder of this.#responders) {
      const awaited = responder?.awaited
      if (awaited?.rule === 'fails') return awaited
      if (awaited && (first === undefined || (first.rule === 'allowed' && awaited.rule === 'told'))) first = awaited
    }
    return first
  }

  /**
   * Ignore the responses to a request. Its matchtag stays in use until the last response has arrived, so that no new
   * request gets that response.
   */
  abandon(tag: number, responder: Responder, streaming: boolean): void {
    // The request may have been answered just now, and its matchtag given to another one.
    if (this.#responders[tag] === responder) this.#responders[tag] = streaming ? ABANDONED_STREAM : ABANDONED
  }

  /** Fail all responders and forget them. */
  failAll(error: FluxError): void {
    const responders = this.#responders
    this.#responders = [undefined]
    this.#lowest = 1
    this.#inUse = 0
    // The table has a batch once for each of its requests.
    for (const responder of new Set(responders)) responder?.fail(error)
  }
}
