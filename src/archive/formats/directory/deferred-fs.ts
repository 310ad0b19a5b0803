/**
 * The file system that tar-fs unpacks to. It queues calls and runs them in a thread, some hundred at a time. With
 * node:fs, each small file costs ten waits in a row: 40,000 files took half a minute.
 *
 * It answers without asking the real file system, because the directory is new and no one else can write to it.
 */
import { Writable } from 'node:stream'
import { searchable } from '../../../files/index.ts'
import { Thread } from '../../../threads/index.ts'
import type { Step, StepsHandlers } from './thread.ts'

type Callback = (error?: Error | null) => void
type StatCallback = (error: Error | null, stats?: FileKind) => void
interface FileKind {
  isSymbolicLink(): boolean
  isDirectory(): boolean
}

const DIRECTORY: FileKind = { isSymbolicLink: () => false, isDirectory: () => true }
const SYMLINK: FileKind = { isSymbolicLink: () => true, isDirectory: () => false }

/** Limits: bytes and calls of one message, and messages in flight. */
const DATA_BYTES = 1 << 20
const MAX_STEPS = 4096
const MAX_IN_FLIGHT = 3

export class DeferredFs {
  readonly #thread: Thread<StepsHandlers>
  readonly #fail: (error: Error) => void
  readonly #fileMode: number
  readonly #directoryMode: number
  /** The directory of the last member. It exists, and so do those above it. */
  #directory: string
  readonly #symlinks = new Set<string>()
  #steps: Step[] = []
  #data = new Uint8Array(DATA_BYTES)
  /** Buffers returned by the thread, for reuse. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = []
  #used = 0
  /** Wakes the call that waits for fewer messages in flight. */
  #wake: () => void = () => {}
  #failure: Error | undefined
  #closed = false

  /**
   * @param outfile - the directory, as the user named it
   * @param root - the new directory
   * @param fileMode - permission bits of all files; those of the members are ignored
   * @param fail - called once, with the first error
   */
  constructor(outfile: string, root: string, fileMode: number, fail: (error: Error) => void) {
    this.#directory = root
    this.#fileMode = fileMode
    this.#directoryMode = searchable(fileMode)
    this.#fail = fail
    this.#thread = new Thread<StepsHandlers>(`cannot write ${outfile}`, './thread', import.meta.url, { outfile })
  }

  /** Settles when all calls have been run. @throws the error of the first that failed */
  async finish(): Promise<void> {
    this.#send(true)
    await this.#until(0)
    if (this.#failure) throw this.#failure
  }

  /** Stop the thread, even if calls are left. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    await this.#thread.terminate()
  }

  // The calls that tar-fs needs of a file system.

  lstat = (path: string, callback: StatCallback): void => {
    if (this.#symlinks.has(path)) callback(null, SYMLINK)
    else this.stat(path, callback)
  }

  stat = (path: string, callback: StatCallback): void => {
    const directory = this.#directory
    if (directory.startsWith(path) && (directory.length === path.length || directory[path.length] === '/')) {
      callback(null, DIRECTORY)
    } else {
      callback(Object.assign(new Error(`no ${path}`), { code: 'ENOENT' }))
    }
  }

  mkdir = (path: string, _options: object, callback: Callback): void => {
    // It may exist already. Creating it again does no harm.
    this.#directory = path
    this.#step(['directory', path, this.#directoryMode], callback)
  }

  chmod = (path: string, _mode: number, callback: Callback): void => {
    // Directories are created with their mode.
    if (path === this.#directory) callback()
    else this.#step(['chmod', path, this.#fileMode], callback)
  }

  utimes = (_path: string, _accessed: Date, modified: Date, callback: Callback): void =>
    this.#step(['utimes', modified.getTime() / 1000], callback)

  /** tar-fs removes an existing file before it creates a link. There is never one. */
  unlink = (_path: string, callback: Callback): void => callback()

  symlink = (target: string, path: string, callback: Callback): void => {
    this.#symlinks.add(path)
    // Call back later: tar-stream continues with the next member inside the callback, and a thousand links would
    // overflow the stack.
    this.#step(['symlink', path, target], () => queueMicrotask(callback))
  }

  createWriteStream = (path: string): Writable => {
    this.#steps.push(['file', path])
    return new Writable({
      write: (chunk: Uint8Array, _encoding, callback) => void this.#write(chunk).then(() => callback(), callback),
    })
  }

  /** Copies the chunk, since sending a view to the thread would send its whole buffer. */
  async #write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + DATA_BYTES - this.#used)
      this.#data.set(part, this.#used)
      this.#steps.push(['write', this.#used, this.#used + part.length])
      this.#used += part.length
      at += part.length
      if (this.#used === DATA_BYTES) await this.#sendSome()
    }
  }

  #step(step: Step, callback: Callback): void {
    this.#steps.push(step)
    if (this.#steps.length < MAX_STEPS) callback()
    else void this.#sendSome().then(() => callback(), callback)
  }

  async #sendSome(): Promise<void> {
    this.#send(false)
    await this.#until(MAX_IN_FLIGHT)
  }

  async #until(onTheirWay: number): Promise<void> {
    while (this.#thread.pending > onTheirWay && this.#failure === undefined && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #send(last: boolean): void {
    const data = this.#data.subarray(0, this.#used)
    this.#thread.call('take', { steps: this.#steps, data, last }, [data.buffer]).then(
      (buffer) => {
        this.#spare.push(new Uint8Array(buffer))
        this.#wake()
      },
      (error) => this.#broken(error),
    )
    this.#steps = []
    this.#data = this.#spare.pop() ?? new Uint8Array(DATA_BYTES)
    this.#used = 0
  }

  #broken(error: Error): void {
    if (this.#failure === undefined && !this.#closed) {
      this.#failure = error
      this.#fail(error)
    }
    this.#wake()
  }
}
