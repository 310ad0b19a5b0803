/**
 * Calls into a thread that does blocking work: SQLite, hashing and compression must not hold up the walk and the writing.
 * A call is one message each way, and calls are answered in their order. Buffers are handed over, not copied.
 */
import { parentPort, type Worker } from 'node:worker_threads'
import { type ErrnoName, FluxError, limitError } from '../errors/index.ts'
import { startWorker } from './start-worker.ts'

/** What a thread can be asked to do, by name. Each answers at once: there is nothing else that the thread could do. */
export type Handlers = Record<string, (args: never) => Answer<unknown>>

/** What a handler answers. */
export interface Answer<T> {
  reply: T
  /** Buffers in `reply` that are handed over. */
  transfer?: ArrayBuffer[]
}

/** An error as it crosses between threads: a structured clone would keep the message alone. */
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

/** The id of the reply that says whether the thread could begin. */
const OPENED = 0

/**
 * In the thread: answer requests until there are no more.
 *
 * @param name - what it works on, for messages
 * @param open - begins; what it throws reaches {@link Thread.open}
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

/** The other side of {@link serveThread}. */
export class Thread<H extends Handlers> {
  readonly #worker: Worker
  readonly #pending = new Map<number, { resolve: (reply: unknown) => void; reject: (error: unknown) => void }>()
  #nextId = OPENED + 1
  readonly #opened: Promise<unknown>
  #failure: unknown
  #isOpen = false
  #closed = false

  /**
   * Start a thread, and wait until it can work.
   *
   * @param args - as of the constructor
   * @throws {FluxError} what the thread says when it cannot begin
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
   * Start a thread. Calls wait until it can work. If it cannot begin, they fail with the reason.
   *
   * @param name - what it works on, for messages
   * @param file - the module that serves: see {@link startWorker}
   * @param data - its `workerData`
   * @throws {FluxError} `EMFILE`, `EAGAIN`, `ENOMEM` it cannot be started. More often, calls fail with that
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
    // Whoever does not wait for it learns of a failure by a call.
    this.#opened.catch(() => {})
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.#worker.on('error', (error) =>
      this.#fail(this.#isOpen ? FluxError.fromSystem(error, `${name}: its thread failed`) : startError(error, name)),
    )
    this.#worker.on('exit', () => this.#fail(new FluxError('EIO', `${name}: its thread ended`)))
  }

  /** Calls that are not answered yet. */
  get pending(): number {
    return this.#pending.size - (this.#pending.has(OPENED) ? 1 : 0)
  }

  /**
   * Have a handler called in the thread.
   *
   * @param transfer - buffers in `args` that are handed over
   * @throws {FluxError} what the handler threw; or, for this and all later calls, that the thread has died
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

  /** Call `close`, whatever it answers, and end the thread. Twice does no harm. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#failure === undefined)
      await this.call('close', undefined as Parameters<H['close' & keyof H]>[0]).catch(() => {})
    await this.#worker.terminate()
  }

  /** End the thread at once, whatever it is at: calls that are under way fail. Twice does no harm. */
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
