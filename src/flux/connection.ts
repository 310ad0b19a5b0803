/**
 * One connection to a broker: requests out, responses to whoever waits for them.
 *
 * Requests gather in a buffer, which is written once at the end of the turn of the event loop: what costs is not the
 * bytes but the system calls, ours and the broker's. Responses are found by their matchtag, without a promise or an
 * event for each.
 *
 * Back-pressure, out: while the socket takes no more, requests wait in the buffer, so at most what callers have in flight.
 * In: the socket is not read while some responder is full and none is waiting; one that waits could wait for the very
 * response that is held up.
 */
import { FluxError } from '../errors/index.ts'
import type { Transport, TransportListener } from './connector.ts'
import { FrameParser } from './framing.ts'
import { Matchtags, type Responder } from './matchtags.ts'
import { MessageReader } from './message-reader.ts'
import { MATCHTAG_NONE, TYPE } from './proto.ts'
import { ProtocolError } from './rpc-error.ts'
import { type RequestTemplate, SendBuffer } from './send-buffer.ts'
import { type SilenceOptions, SilenceWatch } from './silence.ts'

export interface ConnectionOptions extends SilenceOptions {
  maxMessageBytes?: number | undefined
}

/** Told when requests go out. */
interface Sender {
  sent(nowMs: number): void
}

export class Connection implements TransportListener {
  readonly uri: string
  readonly #transport: Transport
  readonly #parser: FrameParser
  readonly #reader = new MessageReader()
  readonly #matchtags = new Matchtags()
  readonly #out = new SendBuffer()
  readonly #silence: SilenceWatch
  /** Who wants to know when what is in `#out` goes out. */
  #senders: Sender[] = []
  #flushScheduled = false
  #writable = true
  #nowMs = 0
  #full = 0
  #waiting = 0
  #paused = false
  /** Why it is over. */
  #failure: FluxError | undefined

  constructor(uri: string, transport: Transport, options: ConnectionOptions = {}) {
    this.uri = uri
    this.#transport = transport
    this.#parser = new FrameParser((bytes, start, end) => this.#onMessage(bytes, start, end), options.maxMessageBytes)
    this.#silence = new SilenceWatch(
      uri,
      options,
      () => this.#matchtags.awaited,
      (seconds, what) => {
        transport.destroy()
        this.#end(silent(uri, seconds, what))
      },
    )
    transport.start(this)
  }

  /** How many matchtags are in use. */
  get inFlight(): number {
    return this.#matchtags.inUse
  }

  /** @throws {FluxError} why the connection is over, if it is */
  assertOpen(): void {
    if (this.#failure) throw this.#failure
  }

  /**
   * Queue a request.
   *
   * @returns its matchtag, which is free again after the responder has seen its last response
   * @throws {FluxError} the connection is over
   */
  request(template: RequestTemplate, payload: Uint8Array | undefined, responder: Responder, index = 0): number {
    this.assertOpen()
    const tag = this.#matchtags.allocate(responder, index)
    this.#out.add(template, payload, tag)
    this.#schedule()
    this.#silence.start()
    return tag
  }

  /**
   * Queue a request that is not answered.
   * @returns resolves once it has been written
   */
  async notify(template: RequestTemplate, payload: Uint8Array | undefined): Promise<void> {
    this.assertOpen()
    this.#out.add(template, payload, MATCHTAG_NONE)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Asked at that moment: close() writes what is queued, and what has been written has not failed.
    this.onSent({ sent: () => (this.#failure ? reject(this.#failure) : resolve()) })
    this.#schedule()
    await promise
  }

  /** Be told once when what has been queued so far goes out, or never will. */
  onSent(sender: Sender): void {
    this.#senders.push(sender)
  }

  /** Nobody waits for the responses to a request any more. */
  abandon(tag: number, responder: Responder, streaming = false): void {
    this.#matchtags.abandon(tag, responder, streaming)
  }

  /** Count the responders that have as much as they can hold: `by` is 1 or -1. */
  full(by: number): void {
    this.#full += by
    this.#pace()
  }

  /** Count the requests that somebody waits on. */
  waiting(by: number): void {
    this.#waiting += by
    if (this.#full > 0) this.#pace()
  }

  /** Send what is queued, then close. Whatever has not been answered fails with `ECANCELED`. */
  async close(): Promise<void> {
    if (!this.#failure) {
      this.#flush()
      this.#end(new FluxError('ECANCELED', `${this.uri}: this handle was closed`))
    }
    await this.#transport.close()
  }

  onData(chunk: Uint8Array): void {
    if (this.#failure) return
    this.#nowMs = performance.now()
    this.#silence.heard()
    try {
      this.#parser.push(chunk)
    } catch (error) {
      this.#transport.destroy()
      if (!(error instanceof ProtocolError)) {
        // No memory for a message of a size that is allowed.
        this.#end(FluxError.fromSystem(error, `${this.uri}: cannot take what the broker sends`))
        return
      }
      const fault = error
      this.#end(
        new ProtocolError(fault.offset, fault.expected, fault.got, {
          cause: error,
          hint: `what answers at ${this.uri} is no broker, or speaks another version of the protocol`,
        }),
      )
    }
  }

  onDrain(): void {
    // It reads what we send: a large message may take long on its way.
    this.#silence.heard()
    this.#writable = true
    if (!this.#out.empty) this.#flush()
  }

  onClose(error: Error | undefined): void {
    const middle = this.#parser.incomplete ? ' in the middle of a message' : ''
    this.#end(
      new FluxError('ECONNRESET', `${this.uri}: lost the connection to the broker${middle}`, {
        cause: error,
        hint: 'the instance has ended, or its broker was killed',
      }),
    )
  }

  #onMessage(bytes: Uint8Array, start: number, end: number): void {
    // What is left of a chunk after close() was called by someone who got a response from it.
    if (this.#failure) return
    const reader = this.#reader
    reader.read(bytes, start, end)
    if (reader.type === TYPE.RESPONSE) this.#matchtags.respond(reader, this.#nowMs)
  }

  #schedule(): void {
    if (this.#flushScheduled || !this.#writable) return
    this.#flushScheduled = true
    setImmediate(() => {
      this.#flushScheduled = false
      if (!this.#failure && this.#writable) this.#flush()
    })
  }

  #flush(): void {
    if (this.#out.empty) return
    const chunks = this.#out.take()
    this.#writable = this.#transport.write(chunks, () => this.#out.recycle(chunks))
    this.#tellSenders()
  }

  #tellSenders(): void {
    if (this.#senders.length === 0) return
    const senders = this.#senders
    this.#senders = []
    const nowMs = performance.now()
    for (const sender of senders) sender.sent(nowMs)
  }

  #pace(): void {
    const paused = this.#full > 0 && this.#waiting === 0
    if (paused === this.#paused) return
    this.#paused = paused
    if (paused) this.#transport.pause()
    else this.#transport.resume()
  }

  #end(failure: FluxError): void {
    if (this.#failure) return
    this.#failure = failure
    this.#silence.stop()
    this.#matchtags.failAll(failure)
    this.#tellSenders()
  }
}

/** The error of a peer that was given up. */
export function silent(name: string, seconds: number, what: string): FluxError {
  return new FluxError('ETIMEDOUT', `${name}: no answer for ${seconds} s, waiting for ${what}`, {
    hint: 'is the broker stopped, or its host? a longer --timeout waits for one that is slow',
  })
}
