/**
 * A directory as the place where an archive goes: a tar stream that tar-fs unpacks as it comes. It is unpacked beside its
 * final name, and takes that when it is complete and on disk.
 */
import { spawn } from 'node:child_process'
import type { Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { extract } from 'tar-fs'
import { FluxError, throwIfAborted } from '../../../errors/index.ts'
import { followLinks, type LinkEnd, PartFile, searchable, syncPath } from '../../../files/index.ts'
import type { Sink } from '../../sink.ts'
import { DeferredFs } from './deferred-fs.ts'

/** What rename(2) answers when the name has been taken meanwhile, by a directory that is not empty or by a file. */
const IN_USE = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR']

const OWNER_ONLY = 0o600

export class DirectorySink implements Sink {
  readonly #part: PartFile
  readonly #name: string
  readonly #target: string
  readonly #replaced: Stats | undefined
  readonly #mode: number | undefined
  readonly #signal: AbortSignal | undefined
  readonly #fs: DeferredFs
  readonly #unpacking: Writable
  readonly #unpacked: Promise<void>

  /**
   * @param path - nothing may be there but an empty directory; a slash at the end does not count
   * @param signal - calls it off
   * @param mode - permission bits of the files; directories may be entered by whoever may read them (default: 0600, and
   *   for the directory itself those of an empty one of ours that it replaces)
   * @throws {FluxError} `EEXIST` when there is something; else the errno of the file system
   */
  static async open(path: string, signal?: AbortSignal, mode?: number): Promise<DirectorySink> {
    try {
      const { path: target, stats } = await emptyPlace(path)
      // Nobody else may put anything in it before it is complete.
      const part = new PartFile(target, 'directory')
      try {
        return new DirectorySink(path, target, part, stats, mode, signal)
      } catch (error) {
        part.remove()
        throw error
      }
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${path}`)
    }
  }

  private constructor(
    name: string,
    target: string,
    part: PartFile,
    replaced: Stats | undefined,
    mode: number | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#name = name
    this.#target = target
    this.#part = part
    this.#replaced = replaced
    this.#mode = mode
    this.#signal = signal
    this.#fs = new DeferredFs(`cannot write ${name}`, part.path, mode ?? OWNER_ONLY, (error) =>
      this.#unpacking.destroy(error),
    )
    // Links that lead out never come here; tar-fs would also refuse a link to a link. The owner is whoever unpacks.
    const options = { fs: this.#fs, chown: false, validateSymlinks: false, strict: true }
    this.#unpacking = extract(part.path, options) as unknown as Writable
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

  /** Absolute: where it is unpacked. */
  get temporary(): string {
    return this.#part.path
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      for (const chunk of chunks) {
        throwIfAborted(this.#signal)
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
      this.#part.setMode(this.#mode === undefined ? undefined : searchable(this.#mode), this.#replaced)
      await syncTree(this.temporary, this.#signal)
      throwIfAborted(this.#signal)
      this.#part.publish('any')
      await syncPath(dirname(this.#target))
    } catch (error) {
      // Another dump of the same name was faster.
      if (IN_USE.includes((error as NodeJS.ErrnoException).code ?? '')) throw notEmpty(this.#name, 'by now')
      throw FluxError.fromSystem(error, `cannot write ${this.#name}`)
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

/** Where the directory is to be. @throws {FluxError} `EEXIST` there is something, and not an empty directory */
async function emptyPlace(path: string): Promise<LinkEnd> {
  const found = await followLinks(resolve(path))
  if (found.stats === undefined) return found
  const names = await readdir(found.path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOTDIR'
      ? new FluxError('EEXIST', `cannot write ${path}: a file of that name is there`)
      : error
  })
  if (names.length === 0) return found
  throw notEmpty(path)
}

function notEmpty(path: string, since = ''): FluxError {
  return new FluxError('EEXIST', `cannot write ${path}: it is not empty ${since}`.trimEnd(), {
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
      throwIfAborted(signal)
      if (entry.isDirectory()) directories.push(join(directory, entry.name))
      else if (entry.isFile()) await syncPath(join(directory, entry.name))
    }
    await syncPath(directory)
  }
}
