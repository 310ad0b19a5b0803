/**
 * A directory as the place where an archive goes: a tar stream that tar-fs unpacks as it comes. It is unpacked beside its
 * final name, and takes that when it is complete and on disk.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, lstat, mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { extract } from 'tar-fs'
import { FluxError } from '../../../errors/index.ts'
import { goOn, type Sink, syncDirectory } from '../../sink.ts'
import { DeferredFs } from './deferred-fs.ts'

export class DirectorySink implements Sink {
  /** Absolute: where it is unpacked. */
  readonly temporary: string
  readonly #name: string
  readonly #target: string
  readonly #signal: AbortSignal | undefined
  readonly #fs: DeferredFs
  readonly #unpacking: Writable
  readonly #unpacked: Promise<void>

  /**
   * @param path - nothing may be there but an empty directory; a slash at the end does not count
   * @param signal - calls it off
   * @throws {FluxError} `EEXIST` when there is something; else the errno of the file system
   */
  static async open(path: string, signal?: AbortSignal): Promise<DirectorySink> {
    try {
      const target = await targetOf(path)
      const random = randomBytes(6).toString('hex')
      const temporary = join(dirname(target), `.${basename(target).slice(0, 200)}.${random}.part`)
      // Nobody else may put anything in it before it is complete.
      await mkdir(temporary, 0o700)
      return new DirectorySink(path, target, temporary, signal)
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${path}`)
    }
  }

  private constructor(name: string, target: string, temporary: string, signal: AbortSignal | undefined) {
    this.#name = name
    this.#target = target
    this.temporary = temporary
    this.#signal = signal
    this.#fs = new DeferredFs(temporary, (error) => this.#unpacking.destroy(error))
    // Links that lead out never come here; tar-fs would also refuse a link to a link. The owner is whoever unpacks.
    const options = { fs: this.#fs, chown: false, validateSymlinks: false, strict: true }
    this.#unpacking = extract(temporary, options) as unknown as Writable
    // A member that is refused before anybody listens to its stream would end the process.
    this.#unpacking.prependListener('entry', (_header: unknown, stream: Readable) => stream.on('error', () => {}))
    this.#unpacked = new Promise((resolve, reject) => {
      this.#unpacking
        .on('finish', resolve)
        .on('error', reject)
        .on('close', () => reject(new Error('unpacking stopped')))
    })
    // A failure is met by the next write.
    this.#unpacked.catch(() => {})
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      for (const chunk of chunks) {
        goOn(this.#signal)
        // Views of it may wait longer than this call, after which it is overwritten.
        if (this.#unpacking.destroyed) await this.#unpacked
        if (this.#unpacking.write(Buffer.from(chunk))) continue
        const drained = new Promise((resolve) => this.#unpacking.once('drain', resolve))
        await Promise.race([drained, this.#unpacked])
      }
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${this.#name}`)
    }
  }

  async commit(): Promise<void> {
    try {
      this.#unpacking.end()
      await this.#unpacked
      await this.#fs.finish()
      await syncTree(this.temporary, this.#signal)
      goOn(this.#signal)
      await chmod(this.temporary, 0o777 & ~process.umask())
      await rename(this.temporary, this.#target)
      await syncDirectory(dirname(this.#target))
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${this.#name}`)
    } finally {
      await this.#fs.close()
    }
  }

  async abort(): Promise<void> {
    this.#unpacking.destroy()
    await this.#fs.close()
    await rm(this.temporary, { recursive: true, force: true, maxRetries: 5 }).catch(() => {})
  }
}

async function targetOf(path: string): Promise<string> {
  const bare = resolve(path)
  const found = await lstat(bare).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (found === undefined) return bare
  const target = await realpath(bare)
  const names = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOTDIR'
      ? new FluxError('EEXIST', `cannot write ${path}: a file of that name is there`)
      : error
  })
  if (names.length === 0) return target
  throw new FluxError('EEXIST', `cannot write ${path}: it is not empty`, {
    hint: 'name a directory that is not there yet',
  })
}

/** Get all of a tree on disk: by one call for its file system, where there is sync(1) of coreutils; else file by file. */
async function syncTree(root: string, signal: AbortSignal | undefined): Promise<void> {
  // In a session of its own, so that Ctrl-C does not end it before we know.
  const sync = spawn('sync', ['-f', root], { stdio: 'ignore', detached: true })
  const status = await new Promise((settle) => sync.once('error', settle).once('close', settle))
  if (status === 0) return
  const directories = [root]
  for (let directory: string | undefined; (directory = directories.pop()) !== undefined; ) {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      goOn(signal)
      if (entry.isDirectory()) directories.push(join(directory, entry.name))
      else if (entry.isFile()) await syncFile(join(directory, entry.name))
    }
    await syncDirectory(directory)
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
