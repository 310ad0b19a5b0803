/**
 * A broker, as far as a client can tell: the protocol of RFC 3 over a Unix socket, a few services behind it, and a script
 * of what goes wrong and how long things take. What the services know is in `broker-double-services.ts`.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FRAME_HEADER_BYTES } from '../../src/flux/framing.ts'
import { decodeJson, encodeJson, FLAG, FrameParser, type JsonObject, writeFrameHeader } from '../../src/flux/index.ts'
import { type Answer, type InstanceOptions, Services } from './broker-double-services.ts'
import { decodeMessage, encodeMessage, type Message, type RequestMessage, type ResponseMessage } from './message.ts'

/** A request as it was received. */
export interface RecordedRequest {
  topic: string
  nodeid: number
  flags: number
  userid: number
  rolemask: number
  matchtag: number
  payload: Uint8Array
}

/** What a connection gets instead of an answer; `silence` is nothing at all. */
export type Fault = 'drop' | 'garbage' | 'truncated' | 'huge' | 'silence'

export interface BrokerDoubleOptions extends InstanceOptions {
  /** The byte that begins a connection, 0 by default; `close` ends it without one, `silent` sends none. */
  handshake?: number | 'close' | 'silent'
  /** Milliseconds from a request to its answer; `inFlight` counts this request. At once by default. */
  latency?: (request: RecordedRequest, inFlight: number) => number
  /** Hold this many answers back and send them last first; what is held goes out when the client falls silent. */
  reverse?: number
  /** Instead of the answer to request number `after`, counted from 1 over all connections. */
  fault?: { after: number; kind: Fault }
  /**
   * Called with each answer to a request, which is the `nth` of its topic (from 1). Writes the bytes that it returns in
   * place of the answer; undefined leaves it as it is.
   */
  tamper?: (answer: ResponseMessage, request: RecordedRequest, nth: number) => Uint8Array | undefined
  /** Errors for topics, in place of the service's answer. */
  errors?: Record<string, { errnum: number; text?: string }>
  /** Answers for topics that the double does not know; a list is a stream, which ENODATA ends unless it is `open`. */
  answers?: Record<string, JsonObject | { stream: JsonObject[]; open?: boolean }>
}

/** How long the client must be silent before answers that are held back go out. */
const REVERSE_WAIT_MS = 5

export class BrokerDouble implements AsyncDisposable {
  /** In order of arrival, over all connections. */
  readonly requests: RecordedRequest[] = []
  /** Number of chunks received, over all connections: what is written at once arrives at once, when it is small. */
  chunks = 0
  /** The largest number of requests that waited for an answer at the same time. */
  maxInFlight = 0
  readonly socketPath: string
  readonly #options: BrokerDoubleOptions
  readonly #services: Services
  readonly #dir: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #watches: { socket: Socket; request: RecordedRequest }[] = []
  #inFlight = 0
  #held: (() => void)[] = []
  #heldTimer: NodeJS.Timeout | undefined

  static async start(options: BrokerDoubleOptions = {}): Promise<BrokerDouble> {
    const broker = new BrokerDouble(options)
    broker.#server.listen(broker.socketPath)
    await once(broker.#server, 'listening')
    return broker
  }

  private constructor(options: BrokerDoubleOptions) {
    this.#options = options
    this.#services = new Services(options)
    this.#dir = mkdtempSync(join(tmpdir(), 'flux-ts-broker-'))
    this.socketPath = join(this.#dir, 'local')
    this.#server = createServer((socket) => this.#accept(socket))
  }

  get uri(): string {
    return `local://${this.socketPath}`
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#sockets.size
  }

  /** What its modules have logged. */
  get log(): readonly string[] {
    return this.#services.log
  }

  /** The requests of a topic. */
  requestsOf(topic: string): RecordedRequest[] {
    return this.requests.filter((request) => request.topic === topic)
  }

  /** Change the root of a namespace, and tell who watches keys in it. */
  commit(namespace: string, rootref: string): void {
    const watches = this.#watches.map((watch) => ({ ...watch, before: this.#services.answers(watch.request) }))
    this.#services.commit(namespace, rootref)
    for (const { socket, request, before } of watches) {
      for (const part of this.#services.changes(request, before)) send(socket, request, part)
    }
  }

  /** How many keys are watched. */
  get watches(): number {
    return this.#watches.length
  }

  /** Close all connections as a broker that is killed does. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Read no more from any client, so that what it writes piles up; or go on. */
  pause(paused: boolean): void {
    for (const socket of this.#sockets) {
      if (paused) socket.pause()
      else socket.resume()
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#heldTimer)
    this.dropAll()
    if (this.#server.listening) {
      const closed = once(this.#server, 'close')
      this.#server.close()
      await closed
    }
    this.#services.close()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(socket: Socket): void {
    const { handshake = 0 } = this.#options
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    // A client that goes away in the middle is an everyday thing.
    socket.on('error', () => {})
    if (handshake === 'close') {
      socket.end()
      return
    }
    if (handshake !== 'silent') socket.write(Uint8Array.of(handshake))
    if (handshake !== 0) {
      if (handshake !== 'silent') socket.end()
      return
    }
    const parser = new FrameParser((bytes, start, end) => {
      const message = decodeMessage(bytes.subarray(start, end))
      if (message.type === 'request' && message.topic !== undefined) this.#request(socket, message)
    })
    socket.on('data', (chunk) => {
      this.chunks++
      try {
        parser.push(chunk)
      } catch {
        // As a broker does, without a word.
        socket.destroy()
      }
    })
  }

  #request(socket: Socket, message: RequestMessage): void {
    const { topic = '', nodeid, flags, userid, rolemask, matchtag, payload = new Uint8Array() } = message
    const request = { topic, nodeid, flags, userid, rolemask, matchtag, payload }
    this.requests.push(request)
    const { fault, latency } = this.#options
    if (fault?.after === this.requests.length) {
      misbehave(socket, fault.kind)
      return
    }
    if (topic.endsWith('.cancel')) {
      const { matchtag } = decodeJson(payload, topic)
      this.#watches = this.#watches.filter(({ request }) => request.matchtag !== matchtag)
      const stream = this.requests.find((other) => other.matchtag === matchtag && other.flags & FLAG.STREAMING)
      if (stream) send(socket, stream, { errnum: 61 })
      return
    }
    if (flags & FLAG.NORESPONSE) return
    this.#inFlight++
    this.maxInFlight = Math.max(this.maxInFlight, this.#inFlight)
    const answer = () => {
      this.#inFlight--
      // Nobody listens any more, and the store may be closed.
      if (socket.destroyed) return
      const nth = this.requestsOf(topic).indexOf(request) + 1
      for (const part of this.#answersTo(request)) {
        const bytes = this.#options.tamper?.(responseTo(request, part), request, nth)
        if (bytes === undefined) send(socket, request, part)
        else if (socket.writable) socket.write(bytes)
      }
      if (topic === 'kvs-watch.lookup') this.#watches.push({ socket, request })
    }
    const delayMs = latency?.(request, this.#inFlight) ?? 0
    if (delayMs > 0) setTimeout(() => this.#deliver(answer), delayMs)
    else this.#deliver(answer)
  }

  #answersTo(request: RecordedRequest): Answer[] {
    const { topic } = request
    const error = this.#options.errors?.[topic]
    if (error) return [error]
    const scripted = this.#options.answers?.[topic]
    if (scripted === undefined) return this.#services.answers(request)
    const { stream } = scripted
    if (!Array.isArray(stream)) return [{ payload: encodeJson(scripted) }]
    const parts: Answer[] = stream.map((item) => ({ payload: encodeJson(item as JsonObject) }))
    return scripted.open ? parts : [...parts, { errnum: 61 }]
  }

  #deliver(answer: () => void): void {
    const { reverse = 1 } = this.#options
    this.#held.push(answer)
    clearTimeout(this.#heldTimer)
    if (this.#held.length >= reverse) this.#release()
    else this.#heldTimer = setTimeout(() => this.#release(), REVERSE_WAIT_MS)
  }

  #release(): void {
    for (const answer of this.#held.splice(0).reverse()) answer()
  }
}

function responseTo(request: RecordedRequest, { errnum = 0, text, payload }: Answer): ResponseMessage {
  return {
    type: 'response',
    flags: request.flags & FLAG.STREAMING,
    routes: [],
    topic: request.topic,
    payload: text === undefined ? payload : Buffer.from(`${text}\0`),
    userid: 0,
    rolemask: 5,
    errnum,
    matchtag: request.matchtag,
  }
}

/** The bytes of messages as they are on the socket, each with the header of its frame. */
export function framed(...messages: readonly (Message | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    messages.flatMap((message) => {
      const bytes = message instanceof Uint8Array ? message : encodeMessage(message)
      const header = new Uint8Array(FRAME_HEADER_BYTES)
      writeFrameHeader(header, 0, bytes.length)
      return [header, bytes]
    }),
  )
}

function send(socket: Socket, request: RecordedRequest, answer: Answer): void {
  if (socket.writable) socket.write(framed(responseTo(request, answer)))
}

function misbehave(socket: Socket, kind: Fault): void {
  if (kind === 'silence') return
  if (kind === 'drop') socket.destroy()
  else if (kind === 'garbage') socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
  else if (kind === 'huge') socket.write(Buffer.from('1200eeffffffffff00', 'hex'))
  else socket.end(Buffer.from('1200eeff0000003000086174', 'hex'))
}
