/**
 * The file system that tar-fs unpacks to: it takes every call at once and leaves the doing to a thread, which does some
 * hundred at a time. With node:fs each small file costs ten waits one after another: 40,000 took half a minute.
 *
 * It may answer without looking, since it knows of all there is: the directory is new, and nobody else's.
 */
import { Writable } from 'node:stream'
import { searchable } from '../../../files/index.ts'
import { Thread } from '../../../threads/index.ts'
import type { Step, StepsHandlers } from './thread.ts'

type Callback = (error?: Error | null) => void
type Look = (error: Error | null, stats?: Looks) => void
interface Looks {
  isSymbolicLink(): boolean
  isDirectory(): boolean
}

const DIRECTORY: Looks = { isSymbolicLink: () => false, isDirectory: () => true }
const SYMLINK: Looks = { isSymbolicLink: () => true, isDirectory: () => false }

/** A message holds about so many bytes, or so many calls; and so many may be on their way. */
const DATA_BYTES = 1 << 20
const MOST_STEPS = 4096
const AHEAD = 3

export class DeferredFs {
  readonly #thread: Thread<StepsHandlers>
  readonly #fail: (error: Error) => void
  readonly #fileMode: number
  readonly #directoryMode: number
  /** The directory of the last member: it and those above it are there. */
  #directory: string
  readonly #symlinks = new Set<string>()
  #steps: Step[] = []
  #data = new Uint8Array(DATA_BYTES)
  /** What has come back from the thread, to be filled again. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = []
  #used = 0
  /** Who waits for there to be fewer. */
  #wake: () => void = () => {}
  #failure: Error | undefined
  #closed = false

  /**
   * @param name - what is attempted, for messages: `cannot write /a/b`
   * @param root - the new directory
   * @param fileMode - permission bits of all files, whatever the archive says
   * @param fail - called once, with the first call that failed
   */
  constructor(name: string, root: string, fileMode: number, fail: (error: Error) => void) {
    this.#directory = root
    this.#fileMode = fileMode
    this.#directoryMode = searchable(fileMode)
    this.#fail = fail
    this.#thread = new Thread<StepsHandlers>(name, './thread', import.meta.url, { name })
  }

  /** Settles when all calls are done. @throws what one has failed with */
  async finish(): Promise<void> {
    this.#send(true)
    await this.#until(0)
    if (this.#failure) throw this.#failure
  }

  /** End the thread, whatever it does. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    await this.#thread.terminate()
  }

  // What follows is what tar-fs asks of a file system.

  lstat = (path: string, callback: Look): void => {
    if (this.#symlinks.has(path)) callback(null, SYMLINK)
    else this.stat(path, callback)
  }

  stat = (path: string, callback: Look): void => {
    const directory = this.#directory
    if (directory.startsWith(path) && (directory.length === path.length || directory[path.length] === '/')) {
      callback(null, DIRECTORY)
    } else {
      callback(Object.assign(new Error(`no ${path}`), { code: 'ENOENT' }))
    }
  }

  mkdir = (path: string, _options: object, callback: Callback): void => {
    // Perhaps it is there; to make it again does no harm.
    this.#directory = path
    this.#step(['directory', path, this.#directoryMode], callback)
  }

  chmod = (path: string, _mode: number, callback: Callback): void => {
    // Directories are made with theirs.
    if (path === this.#directory) callback()
    else this.#step(['chmod', path, this.#fileMode], callback)
  }

  utimes = (_path: string, _accessed: Date, modified: Date, callback: Callback): void =>
    this.#step(['utimes', modified.getTime() / 1000], callback)

  /** tar-fs takes away what is there before it makes a link. Nothing is. */
  unlink = (_path: string, callback: Callback): void => callback()

  symlink = (target: string, path: string, callback: Callback): void => {
    this.#symlinks.add(path)
    // Later: tar-stream goes on to the next member within the call, and a thousand links would be a stack too deep.
    this.#step(['symlink', path, target], () => queueMicrotask(callback))
  }

  createWriteStream = (path: string): Writable => {
    this.#steps.push(['file', path])
    return new Writable({
      write: (chunk: Uint8Array, _encoding, callback) => void this.#write(chunk).then(() => callback(), callback),
    })
  }

  /** Copies, since what is sent away is sent with all of its buffer. */
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
    if (this.#steps.length < MOST_STEPS) callback()
    else void this.#sendSome().then(() => callback(), callback)
  }

  async #sendSome(): Promise<void> {
    this.#send(false)
    await this.#until(AHEAD)
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
