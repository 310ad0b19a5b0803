/**
 * One connection to a broker: it sends requests and delivers responses to their responders.
 *
 * Requests gather in a buffer, which is written once at the end of the turn of the event loop: the system calls, ours
 * and the broker's, cost more than the bytes. A response finds its responder by its matchtag, without a promise or an
 * event for each.
 *
 * Back-pressure for sending: while the socket takes no more, requests wait in the buffer. It holds at most the requests
 * that callers have in flight. Back-pressure for receiving: the socket is not read while a responder is full and no
 * request waits. While a request waits, the socket is read, because the response to it could be behind the others.
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
  /** The largest message to accept, in bytes (default `MAX_MESSAGE_BYTES`). */
  maxMessageBytes?: number | undefined
}

/** Called when requests are written. */
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
  /** To be called when `#out` is written. */
  #senders: Sender[] = []
  #flushScheduled = false
  #writable = true
  #nowMs = 0
  #full = 0
  #waiting = 0
  #paused = false
  /** Why the connection ended; undefined while it is open. */
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

  /** Number of matchtags in use. */
  get inFlight(): number {
    return this.#matchtags.inUse
  }

  /** @throws {FluxError} the connection has ended: the reason */
  assertOpen(): void {
    if (this.#failure) throw this.#failure
  }

  /**
   * Queue a request.
   *
   * @returns its matchtag, which is free again after the responder has got the last response
   * @throws {FluxError} the connection has ended
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
   * Queue a request that gets no response.
   * @returns resolves when it has been written
   */
  async notify(template: RequestTemplate, payload: Uint8Array | undefined): Promise<void> {
    this.assertOpen()
    this.#out.add(template, payload, MATCHTAG_NONE)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // `#failure` is read when the buffer is written: close() writes the queue before it sets a failure.
    this.onSent({ sent: () => (this.#failure ? reject(this.#failure) : resolve()) })
    this.#schedule()
    await promise
  }

  /** Call `sender.sent` once: when the requests queued so far are written, or when the connection ends before. */
  onSent(sender: Sender): void {
    this.#senders.push(sender)
  }

  /** Ignore the responses to a request from now on. */
  abandon(tag: number, responder: Responder, streaming = false): void {
    this.#matchtags.abandon(tag, responder, streaming)
  }

  /** Change the number of responders whose queue is full. @param by - 1 or -1 */
  full(by: number): void {
    this.#full += by
    this.#pace()
  }

  /** Change the number of requests whose response a caller waits for. @param by - 1 or -1 */
  waiting(by: number): void {
    this.#waiting += by
    if (this.#full > 0) this.#pace()
  }

  /** Send what is queued, then close. Unanswered requests fail with `ECANCELED`. */
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
        // There is no memory for a message of an allowed size.
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
    // The broker reads what we send: a large message may take long to send.
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
    // A responder may call close() while the rest of a chunk is still being parsed.
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

/** The error for a peer that was silent for too long. */
export function silent(name: string, seconds: number, what: string): FluxError {
  return new FluxError('ETIMEDOUT', `${name}: no answer for ${seconds} s, waiting for ${what}`, {
    hint: 'is the broker stopped, or its host? a longer --timeout waits for one that is slow',
  })
}
