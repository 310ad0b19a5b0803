/**
 * Where the bytes of an archive go. A file appears under its name complete or not at all: it is written beside its final
 * name, flushed to disk and then renamed. A pipe or a device is written as it is.
 */
import { randomBytes } from 'node:crypto'
import { write } from 'node:fs'
import { type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { abortError, FluxError, throwIfAborted } from '../errors/index.ts'

/** Takes bytes, in order, one call at a time. One that is called off fails with `EINTR` from then on. */
export interface Sink {
  /** @param chunks - not looked at any more once the promise is settled */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** Everything has been written: make it last. */
  commit(): Promise<void>
  /** Leave nothing behind. May be called at any time, also after a failed {@link commit}; never throws. */
  abort(): Promise<void>
}

/**
 * @param path - where the file is to be; a symbolic link is followed, and stays
 * @param signal - calls it off
 * @throws {FluxError} with the errno of the file system, naming `path`
 */
export async function openSink(path: string, signal?: AbortSignal): Promise<Sink> {
  try {
    const target = await targetOf(path)
    const existing = await stat(target).catch(() => undefined)
    if (existing?.isDirectory()) throw new FluxError('EISDIR', `cannot write ${path}: Is a directory`)
    if (existing !== undefined && !existing.isFile()) return new DescriptorSink(path, await open(target, 'w'), signal)
    return await FileSink.create(path, target, existing?.mode, signal)
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot write ${path}`)
  }
}

/** Where the links of a path lead, also when there is nothing yet. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const link = await readlink(path).catch(() => undefined)
  return link === undefined ? path : targetOf(resolve(await realpath(dirname(path)), link))
}

class FileSink implements Sink {
  readonly #name: string
  readonly #target: string
  readonly #temporary: string
  readonly #handle: FileHandle
  readonly #signal: AbortSignal | undefined
  #open = true

  private constructor(
    name: string,
    target: string,
    temporary: string,
    handle: FileHandle,
    signal: AbortSignal | undefined,
  ) {
    this.#name = name
    this.#target = target
    this.#temporary = temporary
    this.#handle = handle
    this.#signal = signal
  }

  static async create(
    name: string,
    target: string,
    mode: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<FileSink> {
    const random = randomBytes(6).toString('hex')
    // Short enough for any name that the final one is short enough for.
    const temporary = join(dirname(target), `.${basename(target).slice(0, 200)}.${random}.part`)
    const handle = await open(temporary, 'wx', 0o666)
    // A replaced file keeps its permissions, as it would if it were overwritten.
    if (mode !== undefined) await handle.chmod(mode & 0o7777).catch(() => {})
    return new FileSink(name, target, temporary, handle, signal)
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      for (const chunk of chunks) {
        goOn(this.#signal)
        for (let at = 0; at < chunk.length; ) at += (await this.#handle.write(chunk, at)).bytesWritten
      }
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${this.#name}`)
    }
  }

  async commit(): Promise<void> {
    try {
      await this.#handle.sync()
      await this.#close()
      goOn(this.#signal)
      await rename(this.#temporary, this.#target)
      await syncDirectory(dirname(this.#target))
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${this.#name}`)
    }
  }

  async abort(): Promise<void> {
    await this.#close().catch(() => {})
    await rm(this.#temporary, { force: true }).catch(() => {})
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#handle.close()
  }
}

/** @throws {FluxError} once the signal is aborted, as its reason says */
export function goOn(signal: AbortSignal | undefined): void {
  throwIfAborted(signal)
}

/** A rename is only sure to last when its directory is on disk too. Some file systems cannot, and need not. */
export async function syncDirectory(dir: string): Promise<void> {
  let handle: FileHandle | undefined
  try {
    handle = await open(dir, 'r')
    await handle.sync()
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EACCES', 'EBADF'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error
  } finally {
    await handle?.close()
  }
}

/** How long to wait before a full non-blocking pipe is tried again. */
const RETRY_MS = 5

/** A descriptor that is open already (standard output), or a pipe or device. */
export class DescriptorSink implements Sink {
  readonly #name: string
  readonly #fd: number
  readonly #handle: FileHandle | undefined
  readonly #signal: AbortSignal | undefined
  #writing: Promise<void> = Promise.resolve()

  /** @param target - a number is left open at the end, a handle is closed */
  constructor(name: string, target: number | FileHandle, signal?: AbortSignal) {
    this.#name = name
    this.#signal = signal
    this.#fd = typeof target === 'number' ? target : target.fd
    this.#handle = typeof target === 'number' ? undefined : target
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        goOn(this.#signal)
        at += await this.#writeSome(chunk, at)
      }
    }
  }

  async commit(): Promise<void> {
    await this.#handle?.close()
  }

  async abort(): Promise<void> {
    // Not under a write, whose descriptor another file might get. One that was left behind may never end.
    const closed = this.#writing.then(() => this.#handle?.close()).catch(() => {})
    if (!this.#signal?.aborted) await closed
  }

  /**
   * Not process.stdout: that would block on a slow reader, and whoever else writes to it could end it. A write that waits
   * for a reader cannot be called off, only left behind.
   */
  #writeSome(chunk: Uint8Array, at: number): Promise<number> {
    const written = Promise.withResolvers<void>()
    this.#writing = written.promise
    return new Promise((resolve, reject) => {
      const interrupt = () => reject(abortError(this.#signal as AbortSignal))
      this.#signal?.addEventListener('abort', interrupt, { once: true })
      write(this.#fd, chunk, at, chunk.length - at, null, (error, bytesWritten) => {
        written.resolve()
        this.#signal?.removeEventListener('abort', interrupt)
        if (error === null) resolve(bytesWritten)
        else if (error.code === 'EAGAIN') setTimeout(() => resolve(0), RETRY_MS)
        else reject(FluxError.fromSystem(error, `cannot write ${this.#name}`))
      })
    })
  }
}
