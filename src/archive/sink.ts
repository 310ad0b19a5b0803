/**
 * Where the bytes of an archive go. A file appears under its name only when complete: it is written beside its final
 * name, flushed to disk and then renamed. A pipe or a device is written directly.
 */
import { type Stats, write } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { abortError, FluxError, OutputError, throwIfAborted, writeError } from '../errors/index.ts'
import { followLinks, openFifo, PartFile, syncFile, syncPath, wasClosed } from '../files/index.ts'
import { ChecksumFile, removeOlderChecksum } from './checksum-file.ts'

/** Takes bytes, in order, one call at a time. After its signal is aborted, every call fails with `EINTR`. */
export interface Sink {
  /** @param chunks - may be reused once the promise has settled */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** What comes after so many bytes need not reach anybody: a reader has all of the archive, and may have closed a pipe. */
  endsFor?(bytes: number): void
  /** Called when everything has been written: flush it to disk and put it under its name. */
  commit(): Promise<void>
  /** Leave nothing behind. May be called at any time, also after a failed {@link commit}; never throws. */
  abort(): Promise<void>
}

/** What else happens when a file is written. */
export interface SinkOptions {
  /** Write its checksum beside it, as sha256sum does. */
  checksum?: boolean | undefined
  /** Called when the file is complete and on disk, but has not got its name yet. When it rejects, no file is left. */
  beforeNaming?: ((path: string) => Promise<void>) | undefined
}

/**
 * @param path - the final path of the file; a symbolic link is followed and kept
 * @param signal - interrupts it
 * @param mode - permission bits of the file (default: those of a replaced file of the same owner, else 0600)
 * @throws {FluxError} with the errno of the file system, naming `path`; `EACCES` also as {@link followLinks} throws it;
 *   `EINVAL` a pipe or a device has no checksum and no name to come
 */
export async function openSink(
  path: string,
  signal?: AbortSignal,
  mode?: number,
  options: SinkOptions = {},
): Promise<Sink> {
  try {
    const { path: target, stats } = await followLinks(path)
    if (stats?.isDirectory()) throw writeError({ code: 'EISDIR' }, path)
    if (stats === undefined || stats.isFile()) {
      const checksum = options.checksum ? await ChecksumFile.create(path) : undefined
      try {
        return FileSink.create(path, target, stats, signal, mode, checksum, options.beforeNaming)
      } catch (error) {
        checksum?.remove()
        throw error
      }
    }
    if (options.checksum || options.beforeNaming) throw noFile(path)
    const handle = stats.isFIFO() ? await openFifo(target, 'write', signal) : await open(target, 'w')
    const sink = new DescriptorSink(path, handle, signal)
    if (signal?.aborted) await sink.abort()
    throwIfAborted(signal)
    return sink
  } catch (error) {
    throw writeError(error, path)
  }
}

/** The error for what only a file can have. */
export function noFile(path: string): FluxError {
  return new FluxError(
    'EINVAL',
    `${path}: is no file, so it cannot be verified before it gets its name, or have a checksum`,
  )
}

const writeTo = promisify(write)

class FileSink implements Sink {
  readonly #name: string
  readonly #target: string
  /** True when there is a file of that name. */
  readonly #replaces: boolean
  readonly #part: PartFile
  readonly #signal: AbortSignal | undefined
  readonly #checksum: ChecksumFile | undefined
  readonly #beforeNaming: SinkOptions['beforeNaming']
  #underWay: Promise<unknown> = Promise.resolve()

  private constructor(
    name: string,
    target: string,
    replaces: boolean,
    part: PartFile,
    signal: AbortSignal | undefined,
    checksum: ChecksumFile | undefined,
    beforeNaming: SinkOptions['beforeNaming'],
  ) {
    this.#name = name
    this.#target = target
    this.#replaces = replaces
    this.#part = part
    this.#signal = signal
    this.#checksum = checksum
    this.#beforeNaming = beforeNaming
  }

  /** @param replaced - status of the file that it will replace, if there is one */
  static create(
    name: string,
    target: string,
    replaced: Stats | undefined,
    signal: AbortSignal | undefined,
    mode: number | undefined,
    checksum: ChecksumFile | undefined,
    beforeNaming: SinkOptions['beforeNaming'],
  ): FileSink {
    const part = new PartFile(target, 'file')
    try {
      part.setMode(mode, replaced)
      return new FileSink(name, target, replaced !== undefined, part, signal, checksum, beforeNaming)
    } catch (error) {
      part.remove()
      throw error
    }
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      for (const chunk of chunks) {
        throwIfAborted(this.#signal)
        this.#checksum?.update(chunk)
        for (let at = 0; at < chunk.length; ) {
          const writing = writeTo(this.#part.fd, chunk, at, chunk.length - at, null)
          this.#underWay = writing
          at += (await writing).bytesWritten
        }
      }
    } catch (error) {
      throw writeError(error, this.#name)
    }
  }

  async commit(): Promise<void> {
    try {
      this.#underWay = syncFile(this.#part.fd)
      await this.#underWay
      // A signal that has come meanwhile may wait behind the end of the flush.
      await new Promise((resolve) => setImmediate(resolve))
      throwIfAborted(this.#signal)
      await this.#beforeNaming?.(this.#part.path)
      throwIfAborted(this.#signal)
      const publish = async () => {
        // Its checksum can have the name of a link to it, or its own.
        if (this.#replaces) for (const path of new Set([this.#name, this.#target])) await removeOlderChecksum(path)
        this.#part.publish('any')
        await syncPath(dirname(this.#target))
      }
      if (this.#checksum) await this.#checksum.publish(this.#part.fd, publish)
      else await publish()
    } catch (error) {
      throw writeError(error, this.#name)
    }
  }

  async abort(): Promise<void> {
    // Not under a write, whose descriptor another file might get.
    await this.#underWay.catch(() => {})
    this.#part.remove()
    this.#checksum?.remove()
  }
}

/** Longest wait before a full non-blocking pipe is tried again, in milliseconds. The first wait is one millisecond. */
const RETRY_MS = 5

/** Writes to an open descriptor (standard output), a pipe or a device. */
class DescriptorSink implements Sink {
  readonly #name: string
  readonly #fd: number
  readonly #handle: FileHandle | undefined
  readonly #signal: AbortSignal | undefined
  #writing: Promise<void> = Promise.resolve()
  #bytes = 0
  #end = Number.POSITIVE_INFINITY
  /** How often in a row the pipe was full. */
  #full = 0

  /** @param target - a number stays open at the end, a handle is closed */
  constructor(name: string, target: number | FileHandle, signal?: AbortSignal) {
    this.#name = name
    this.#signal = signal
    this.#fd = typeof target === 'number' ? target : target.fd
    this.#handle = typeof target === 'number' ? undefined : target
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        throwIfAborted(this.#signal)
        const bytes = await this.#writeSome(chunk, at)
        at += bytes
        this.#bytes += bytes
      }
    }
  }

  endsFor(bytes: number): void {
    this.#end = bytes
  }

  async commit(): Promise<void> {
    await this.#handle?.close()
  }

  async abort(): Promise<void> {
    // Close only after the pending write, which would otherwise go to the next file that gets this descriptor. After an
    // abort the write may never end, so nothing waits for it.
    const closed = this.#writing.then(() => this.#handle?.close()).catch(() => {})
    if (!this.#signal?.aborted) await closed
  }

  /**
   * Does not use process.stdout, which would block on a slow reader, and which other code could end. A write that waits
   * for a reader cannot be cancelled: after an abort it is abandoned.
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
        if (error?.code === 'EAGAIN') setTimeout(() => resolve(0), Math.min(++this.#full, RETRY_MS))
        else this.#full = 0
        if (error === null) resolve(bytesWritten)
        else if (error.code === 'EPIPE' && this.#bytes >= this.#end) resolve(chunk.length - at)
        else if (error.code !== 'EAGAIN') reject(this.#named(error))
      })
    })
  }

  #named(error: NodeJS.ErrnoException): FluxError {
    const named = writeError(error, this.#name)
    return this.#fd === 1 ? new OutputError(named.code, named.message, { cause: error }) : named
  }
}

/** @throws {OutputError} `EBADF` standard output was closed when the process started */
export function openStandardOutput(signal?: AbortSignal): Sink {
  if (wasClosed(1)) {
    throw new OutputError('EBADF', 'cannot write standard output: it is closed', { hint: '> /dev/null throws it away' })
  }
  return new DescriptorSink('standard output', 1, signal)
}
