/**
 * Calls into a thread that does blocking work: SQLite, hashing and compression must not block the walk and the writing.
 * A call is one message each way, and calls are answered in order. Buffers are transferred, not copied.
 */
import { parentPort, type Worker } from 'node:worker_threads'
import { type ErrnoName, FluxError, limitError } from '../errors/index.ts'
import { startWorker } from './start-worker.ts'

/** The handlers of a thread, by name. They are synchronous: the thread has no other work to do meanwhile. */
export type Handlers = Record<string, (args: never) => Answer<unknown>>

/** What a handler answers. */
export interface Answer<T> {
  reply: T
  /** Buffers in `reply` to transfer. */
  transfer?: ArrayBuffer[]
}

/** An error as it crosses between threads. A structured clone of a FluxError would keep only the message. */
interface PlainError {
  code: ErrnoName
  message: string
  hint: string | undefined
}

interface Request {
  id: number
  method: string
  args: unknown
}

type Reply = { id: number; reply: unknown } | { id: number; error: PlainError }

/** The id of the first reply, which says whether the thread is ready. */
const OPENED = 0

/**
 * In the thread: answer requests until `close` is called.
 *
 * @param name - what the thread works on, for messages
 * @param open - prepares the work. {@link Thread.open} throws what this throws
 */
export async function serveThread(name: string, open: () => Handlers | Promise<Handlers>): Promise<void> {
  const port = parentPort
  if (port === null) return
  const send = (reply: Reply, transfer: ArrayBuffer[] = []) => port.postMessage(reply, transfer)
  const sendError = (id: number, error: unknown) => {
    const { code, message, hint } = FluxError.fromSystem(error, name)
    send({ id, error: { code, message, hint } })
  }
  let handlers: Handlers
  try {
    handlers = await open()
  } catch (error) {
    sendError(OPENED, error)
    return
  }
  port.on('message', ({ id, method, args }: Request) => {
    try {
      const { reply, transfer } = (handlers[method] as NonNullable<Handlers[string]>)(args as never)
      send({ id, reply }, transfer)
    } catch (error) {
      sendError(id, error)
    }
    if (method === 'close') port.close()
  })
  send({ id: OPENED, reply: undefined })
}

/** The caller's side of a thread that runs {@link serveThread}. */
export class Thread<H extends Handlers> {
  readonly #worker: Worker
  readonly #pending = new Map<number, { resolve: (reply: unknown) => void; reject: (error: unknown) => void }>()
  #nextId = OPENED + 1
  readonly #opened: Promise<unknown>
  #failure: unknown
  #isOpen = false
  #closed = false

  /**
   * Start a thread, and wait until it is ready.
   *
   * @param args - those of the constructor
   * @throws {FluxError} what `open` threw in the thread; or the thread could not be started
   */
  static async open<H extends Handlers>(...args: ConstructorParameters<typeof Thread>): Promise<Thread<H>> {
    const thread = new Thread<H>(...args)
    try {
      await thread.#opened
      return thread
    } catch (error) {
      await thread.terminate()
      throw error
    }
  }

  /**
   * Start a thread. Calls wait until it is ready. If `open` fails in the thread, they fail with its error.
   *
   * @param name - what the thread works on, for messages
   * @param file - the module to run: see {@link startWorker}
   * @param data - its `workerData`
   * @throws {FluxError} `EMFILE`, `EAGAIN`, `ENOMEM` the thread cannot be started. More often, calls fail with these
   */
  constructor(name: string, file: string, base: string, data: object) {
    try {
      this.#worker = startWorker(file, base, data)
    } catch (error) {
      throw startError(error, name)
    }
    this.#opened = this.#reply(OPENED).then(
      () => {
        this.#isOpen = true
      },
      (error) => {
        this.#fail(error)
        throw error
      },
    )
    // Calls fail as well, so an unobserved `#opened` must not be an unhandled rejection.
    this.#opened.catch(() => {})
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.#worker.on('error', (error) =>
      this.#fail(this.#isOpen ? FluxError.fromSystem(error, `${name}: its thread failed`) : startError(error, name)),
    )
    this.#worker.on('exit', () => this.#fail(new FluxError('EIO', `${name}: its thread ended`)))
  }

  /** True when the thread has ended without being asked to. */
  get hasDied(): boolean {
    return this.#failure !== undefined && !this.#closed
  }

  /** Number of calls that are not answered yet. */
  get pending(): number {
    return this.#pending.size - (this.#pending.has(OPENED) ? 1 : 0)
  }

  /**
   * Call a handler in the thread.
   *
   * @param transfer - buffers in `args` to transfer
   * @throws {FluxError} what the handler threw; or `EIO` and the like, for this and all later calls, the thread has
   *   died
   */
  async call<K extends keyof H & string>(
    method: K,
    args: Parameters<H[K]>[0],
    transfer: ArrayBuffer[] = [],
  ): Promise<ReturnType<H[K]>['reply']> {
    if (this.#failure !== undefined) throw this.#failure
    const id = this.#nextId++
    const reply = this.#reply(id)
    this.#worker.postMessage({ id, method, args }, transfer)
    return reply
  }

  /** Call the handler `close`, ignore its errors, and end the thread. May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#failure === undefined)
      await this.call('close', undefined as Parameters<H['close' & keyof H]>[0]).catch(() => {})
    await this.#worker.terminate()
  }

  /** End the thread at once. Calls in progress fail. May be called twice. */
  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #reply(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }))
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if ('error' in reply) {
      const { code, message, hint } = reply.error
      pending?.reject(new FluxError(code, message, { hint }))
    } else {
      pending?.resolve(reply.reply)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

function startError(error: unknown, name: string): FluxError {
  return limitError(error, `${name}: cannot start a thread to work on it`)
}
