/**
 * Writes an archive as a directory: tar-fs unpacks the tar stream as it arrives. It is unpacked beside its final name,
 * and renamed when it is complete and on disk.
 */
import { spawn } from 'node:child_process'
import type { Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { extract } from 'tar-fs'
import { FluxError, throwIfAborted, writeError } from '../../../errors/index.ts'
import { findProgram, followLinks, type LinkEnd, PartFile, searchable, syncPath } from '../../../files/index.ts'
import type { Sink } from '../../sink.ts'
import { DeferredFs } from './deferred-fs.ts'

/** Errors of rename(2) when the name has been taken meanwhile, by a file or by a directory that is not empty. */
const IN_USE = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR']

const NEW_DIRECTORY = { hint: 'name a directory that is not there yet' }

const OWNER_ONLY = 0o600

export class DirectorySink implements Sink {
  readonly #part: PartFile
  readonly #name: string
  readonly #target: string
  readonly #replaced: Stats | undefined
  readonly #mode: number | undefined
  readonly #signal: AbortSignal | undefined
  readonly #beforeNaming: ((path: string) => Promise<void>) | undefined
  readonly #fs: DeferredFs
  readonly #unpacking: Writable
  readonly #unpacked: Promise<void>

  /**
   * @param path - must not exist, or be an empty directory; a slash at the end is ignored
   * @param signal - interrupts it
   * @param mode - permission bits of the files; users who can read a directory can also enter it (default: 0600; an
   *   empty directory of the same owner that is replaced passes on its own)
   * @param beforeNaming - called with its path when it is complete, before it gets its name
   * @throws {FluxError} `EEXIST` a file or a non-empty directory of that name exists; else the errno of the file system
   */
  static async open(
    path: string,
    signal?: AbortSignal,
    mode?: number,
    beforeNaming?: (path: string) => Promise<void>,
  ): Promise<DirectorySink> {
    try {
      const { path: target, stats } = await freePath(path)
      // No other user can write to it before it is complete.
      const part = new PartFile(target, 'directory')
      try {
        return new DirectorySink(path, target, part, stats, mode, signal, beforeNaming)
      } catch (error) {
        part.remove()
        throw error
      }
    } catch (error) {
      throw writeError(error, path)
    }
  }

  private constructor(
    name: string,
    target: string,
    part: PartFile,
    replaced: Stats | undefined,
    mode: number | undefined,
    signal: AbortSignal | undefined,
    beforeNaming: ((path: string) => Promise<void>) | undefined,
  ) {
    this.#name = name
    this.#target = target
    this.#part = part
    this.#replaced = replaced
    this.#mode = mode
    this.#signal = signal
    this.#beforeNaming = beforeNaming
    this.#fs = new DeferredFs(name, part.path, mode ?? OWNER_ONLY, (error) => this.#unpacking.destroy(error))
    // The encoder has refused links that lead out; tar-fs would also refuse a link to a link. Files keep the owner of
    // this process.
    const options = { fs: this.#fs, chown: false, validateSymlinks: false, strict: true }
    this.#unpacking = extract(part.path, options) as unknown as Writable
    // If a member fails before its stream has an error listener, the error would end the process.
    this.#unpacking.prependListener('entry', (_header: unknown, stream: Readable) => stream.on('error', () => {}))
    this.#unpacked = new Promise((resolve, reject) => {
      this.#unpacking
        .on('finish', resolve)
        .on('error', reject)
        .on('close', () => reject(new Error('unpacking stopped')))
    })
    // The next write throws the error. Until then it must not be an unhandled rejection.
    this.#unpacked.catch(() => {})
  }

  /** Absolute path of the temporary directory that it is unpacked into. */
  get temporary(): string {
    return this.#part.path
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      for (const chunk of chunks) {
        throwIfAborted(this.#signal)
        // The chunk is copied, since it is reused after this call, when views of it may still be queued.
        if (this.#unpacking.destroyed) await this.#unpacked
        if (this.#unpacking.write(Buffer.from(chunk))) continue
        const drained = new Promise((resolve) => this.#unpacking.once('drain', resolve))
        await Promise.race([drained, this.#unpacked])
      }
    } catch (error) {
      throw writeError(error, this.#name)
    }
  }

  async commit(): Promise<void> {
    try {
      this.#unpacking.end()
      await this.#unpacked
      await this.#fs.finish()
      this.#part.setMode(this.#mode === undefined ? undefined : searchable(this.#mode), this.#replaced)
      await syncTree(this.temporary, this.#signal)
      throwIfAborted(this.#signal)
      await this.#beforeNaming?.(this.temporary)
      throwIfAborted(this.#signal)
      this.#part.publish('any')
      await syncPath(dirname(this.#target))
    } catch (error) {
      // Another process has taken the name meanwhile.
      if (IN_USE.includes((error as NodeJS.ErrnoException).code ?? '')) throw notEmpty(this.#name, 'by now')
      throw writeError(error, this.#name)
    } finally {
      await this.#fs.close()
    }
  }

  async abort(): Promise<void> {
    this.#unpacking.destroy()
    await this.#fs.close()
    this.#part.remove()
  }
}

/** The final path of the directory. @throws {FluxError} `EEXIST` a file or a non-empty directory of that name exists */
async function freePath(path: string): Promise<LinkEnd> {
  const found = await followLinks(resolve(path))
  if (found.stats === undefined) return found
  const names = await readdir(found.path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOTDIR'
      ? new FluxError('EEXIST', `cannot write ${path}: a file of that name is there`, NEW_DIRECTORY)
      : error
  })
  if (names.length === 0) return found
  throw notEmpty(path)
}

function notEmpty(path: string, since = ''): FluxError {
  return new FluxError('EEXIST', `cannot write ${path}: it is not empty ${since}`.trimEnd(), NEW_DIRECTORY)
}

/** Flush a tree to disk: with one call for its file system if there is sync(1) of coreutils, else file by file. */
async function syncTree(root: string, signal: AbortSignal | undefined): Promise<void> {
  // In its own session, so that Ctrl-C does not kill it before we handle the signal.
  const program = findProgram('sync')
  if (program !== undefined) {
    const sync = spawn(program, ['-f', '--', root], { stdio: 'ignore', detached: true })
    const status = await new Promise((settle) => sync.once('error', settle).once('close', settle))
    if (status === 0) return
  }
  const directories = [root]
  for (let directory: string | undefined; (directory = directories.pop()) !== undefined; ) {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      throwIfAborted(signal)
      if (entry.isDirectory()) directories.push(join(directory, entry.name))
      else if (entry.isFile()) await syncPath(join(directory, entry.name))
    }
    await syncPath(directory)
  }
}
