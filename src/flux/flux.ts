import { FluxError } from '../errors/index.ts'
import { openAncestor } from './ancestors.ts'
import { connect } from './connect.ts'
import { Connection, silent } from './connection.ts'
import type { Transport } from './connector.ts'
import { decodeJson, encodeJson, type JsonObject } from './json-payload.ts'
import type { MessageReader } from './message-reader.ts'
import { FLAG, NODEID_ANY, ROLE_NONE, USERID_UNKNOWN } from './proto.ts'
import { callBatch, type RpcBatch, type RpcBatchOptions } from './rpc-batch.ts'
import { call, RpcFailure, type WaitOptions } from './rpc-call.ts'
import { callStream } from './rpc-stream.ts'
import { RequestTemplate } from './send-buffer.ts'
import { type SilenceOptions, SilenceWatch } from './silence.ts'
import { ancestorLevels, defaultUri, parseUri } from './uri.ts'

/** How {@link Flux} connects. */
export interface FluxOpenOptions extends SilenceOptions {
  /** Instead of `process.env`. */
  env?: NodeJS.ProcessEnv | undefined
  /** Ends the attempt to connect. */
  signal?: AbortSignal | undefined
  /** A larger message from the broker ends the connection with `EPROTO`. In bytes; by default about 1 GiB. */
  maxMessageBytes?: number | undefined
}

/** Where a request goes, and how long to wait for the response. */
export interface RpcOptions extends WaitOptions {
  /** The rank to ask. Any when undefined: the local broker if it has the service, else the next towards rank 0. */
  nodeid?: number | undefined
}

/** Options of {@link Flux.rpcStream}. A stream has no deadline. */
export type RpcStreamOptions = Omit<RpcOptions, 'timeoutMs'>

/**
 * A handle on a Flux instance: a connection to one of its brokers.
 *
 * ```ts
 * await using flux = await Flux.open()
 * const { rootref } = await flux.rpc('kvs.getroot', { namespace: 'primary' })
 * ```
 *
 * All requests sent in one turn of the event loop are written together. When the connection is lost, all pending and
 * all later requests fail with `ECONNRESET`.
 *
 * @see flux-core `src/bindings/python/flux/core/handle.py`; flux_open(3), flux_rpc(3)
 */
export class Flux implements AsyncDisposable {
  /** The URI of the connection, after `..` and the like are resolved. */
  readonly uri: string
  readonly #connection: Connection
  readonly #env: NodeJS.ProcessEnv
  readonly #userid: number
  readonly #rolemask: number
  readonly #templates = new Map<string, RequestTemplate>()

  /**
   * Connect to an instance.
   *
   * @param uri - `local:///path`, `ssh://[user@]host[:port]/path`; or `/`, `.`, `..`, `../..`: the root instance, the
   *   enclosing one, its parent, and so on. When undefined: `FLUX_URI`, or else the system instance
   * @throws {FluxError} `ENOENT` no such socket, or not a URI; `ECONNREFUSED` no broker listens; `EPERM` the broker
   *   refused us; `EINVAL` a malformed URI or environment variable; `ETIMEDOUT` the broker was silent for
   *   `silenceTimeoutMs`; `EINTR`, `ETIMEDOUT` the signal was aborted
   * @see flux_open(3); flux-core `src/common/libflux/handle.c`
   */
  static async open(uri?: string, options: FluxOpenOptions = {}): Promise<Flux> {
    const { env = process.env } = options
    const levels = uri === undefined ? undefined : ancestorLevels(uri)
    if (levels === undefined) return Flux.#connect(uri ?? defaultUri(env), options)
    return openAncestor((uri) => Flux.#connect(uri, options), defaultUri(env), levels)
  }

  static async #connect(uri: string, options: FluxOpenOptions): Promise<Flux> {
    const { env = process.env } = options
    const userid = envNumber(env, 'FLUX_HANDLE_USERID') ?? USERID_UNKNOWN
    const rolemask = envNumber(env, 'FLUX_HANDLE_ROLEMASK') ?? ROLE_NONE
    const transport = await connectInTime(uri, env, options)
    return new Flux(new Connection(uri, transport, options), env, userid, rolemask)
  }

  private constructor(connection: Connection, env: NodeJS.ProcessEnv, userid: number, rolemask: number) {
    this.uri = connection.uri
    this.#connection = connection
    this.#env = env
    this.#userid = userid
    this.#rolemask = rolemask
  }

  /** Number of requests in flight, including those whose caller no longer waits. */
  get inFlight(): number {
    return this.#connection.inFlight
  }

  /**
   * Call a service that speaks JSON.
   *
   * @param payload - an object, or its JSON text; undefined sends no payload
   * @returns the object of the response; empty when the response has no payload
   * @throws {RpcError} the service answered with an error
   * @throws {FluxError} `ECONNRESET` the connection is lost; `ETIMEDOUT` no response in time; `EINTR` the signal was
   *   aborted; `EPROTO` the response is not a JSON object
   */
  async rpc(topic: string, payload?: object | string, options: RpcOptions = {}): Promise<JsonObject> {
    const bytes = payload === undefined ? undefined : encodeJson(payload)
    return this.#call(topic, bytes, options, (response) => decodeJson(response.payload(), topic))
  }

  /**
   * Call a service that speaks bytes.
   *
   * @param payload - sent unchanged; undefined or empty sends no payload. Do not change a large one (64 KiB or more)
   *   until the response has arrived: it is not copied
   * @returns the payload of the response, possibly empty: a copy, which the caller owns
   * @throws as {@link Flux.rpc}
   */
  async rpcRaw(topic: string, payload?: Uint8Array, options: RpcOptions = {}): Promise<Uint8Array> {
    return this.#call(topic, payload, options, (response) => new Uint8Array(response.payload()))
  }

  /**
   * Make many calls that differ only in their payload, with one write. An error response is a result and does not
   * throw.
   *
   * All calls are in flight at once, so the caller must limit their number.
   *
   * @param payloads - one for each call; do not change them until the responses have arrived
   * @throws {FluxError} `ECONNRESET` the connection is lost; `EINTR`, `ETIMEDOUT` the signal was aborted
   */
  async rpcBatch(topic: string, payloads: readonly Uint8Array[], options: RpcBatchOptions = {}): Promise<RpcBatch> {
    return callBatch(this.#connection, this.#template(topic, options.nodeid), payloads, options)
  }

  /**
   * Call a service that answers many times, such as a watch. The request is sent when the consumer asks for the first
   * answer. When the consumer stops early, or the signal is aborted, `<service>.cancel` is sent.
   *
   * When the consumer falls behind, the socket is not read, unless another call waits for a response on this handle.
   *
   * @returns the objects of the responses, until the service ends the stream with ENODATA
   * @throws {RpcError} the service ended the stream with another error
   * @throws {FluxError} as {@link Flux.rpc}
   */
  async *rpcStream(
    topic: string,
    payload?: object | string,
    { nodeid, signal, silence }: RpcStreamOptions = {},
  ): AsyncGenerator<JsonObject, void, void> {
    const cancel = (matchtag: number) => {
      // When the connection is lost, the broker ends the stream itself.
      this.send(cancelTopic(topic), { matchtag }, { nodeid }).catch(() => {})
    }
    const template = this.#template(topic, nodeid, FLAG.STREAMING)
    const bytes = payload === undefined ? undefined : encodeJson(payload)
    const items = callStream(this.#connection, template, bytes, cancel, { signal, silence })
    try {
      for (let item = await items.next(); ; item = await items.next()) {
        if (item.done) {
          if (item.value) throw item.value.toError(topic, nodeid)
          return
        }
        yield decodeJson(item.value, topic)
      }
    } finally {
      await items.return(undefined)
    }
  }

  /**
   * Send a request that gets no response.
   *
   * @returns resolves when it has been written to the socket
   * @throws {FluxError} `ECONNRESET` the connection is lost
   */
  async send(
    topic: string,
    payload?: object | string,
    { nodeid }: { nodeid?: number | undefined } = {},
  ): Promise<void> {
    const template = this.#template(topic, nodeid, FLAG.NORESPONSE)
    await this.#connection.notify(template, payload === undefined ? undefined : encodeJson(payload))
  }

  /**
   * A broker attribute, e.g. `content.hash`. Values are always strings.
   *
   * Within `flux proxy` (`FLUX_PROXY_REMOTE`), `parent-uri` becomes an ssh URI, as in flux_attr_get(3).
   *
   * @throws {FluxError} `ENOENT` the broker has no such attribute
   */
  async attrGet(name: string, options: RpcOptions = {}): Promise<string> {
    const response = await this.#call('attr.get', encodeJson({ name }), options, (message) =>
      decodeJson(message.payload(), 'attr.get'),
    ).catch((error) => {
      if (error instanceof FluxError && error.code === 'ENOENT') {
        throw new FluxError('ENOENT', `attr.get: the broker has no attribute ${name}`, { cause: error })
      }
      throw error
    })
    const { value } = response
    if (typeof value !== 'string') throw new FluxError('EPROTO', `attr.get: the value of ${name} is not a string`)
    const remote = this.#env.FLUX_PROXY_REMOTE
    if (name !== 'parent-uri' || remote === undefined || !value.startsWith('local://')) return value
    return `ssh://${remote}${value.slice('local://'.length)}`
  }

  /** The rank of the broker. */
  async rank(options: RpcOptions = {}): Promise<number> {
    return Number(await this.attrGet('rank', options))
  }

  /** The number of brokers in the instance. */
  async size(): Promise<number> {
    return Number(await this.attrGet('size'))
  }

  /** Send what is queued, then close. Unanswered requests fail with `ECANCELED`. May be called twice. */
  close(): Promise<void> {
    return this.#connection.close()
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #call<T>(
    topic: string,
    payload: Uint8Array | undefined,
    options: RpcOptions,
    decode: (response: MessageReader) => T,
  ): Promise<T> {
    const { nodeid } = options
    const outcome = await call(this.#connection, this.#template(topic, nodeid), payload, decode, options)
    // Thrown here, so that the stack shows the caller.
    if (outcome instanceof RpcFailure) throw outcome.toError(topic, nodeid)
    return outcome
  }

  #template(topic: string, nodeid = NODEID_ANY, flags = 0): RequestTemplate {
    const key = `${flags} ${nodeid} ${topic}`
    let template = this.#templates.get(key)
    if (!template) {
      template = new RequestTemplate({ topic, nodeid, flags, userid: this.#userid, rolemask: this.#rolemask })
      this.#templates.set(key, template)
    }
    return template
  }
}

/** Connect, and fail when the broker does not admit us in time. */
async function connectInTime(uri: string, env: NodeJS.ProcessEnv, options: FluxOpenOptions): Promise<Transport> {
  const late = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, late.signal]) : late.signal
  const what = 'the broker to let us in'
  const watch = new SilenceWatch(
    uri,
    options,
    () => ({ what, rule: 'fails' }),
    (seconds) => late.abort(silent(uri, seconds, what)),
  )
  watch.start()
  try {
    return await connect(parseUri(uri), { env, signal })
  } finally {
    watch.stop()
  }
}

/** The topic that cancels a stream: `kvs-watch.cancel` for `kvs-watch.lookup`. */
function cancelTopic(topic: string): string {
  return `${topic.slice(0, topic.lastIndexOf('.') + 1)}cancel`
}

/** An unsigned number of 32 bits, decimal, or hexadecimal with `0x`. */
function envNumber(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name]
  if (text === undefined) return undefined
  const number = /^(?:\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN
  if (number <= 0xffffffff) return number
  throw new FluxError('EINVAL', `${name}=${text}: not a number of 32 bits`)
}
