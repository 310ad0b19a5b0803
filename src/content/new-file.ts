import { randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { FluxError } from '../errors/index.ts'

/**
 * A file or directory that gets its name when it is complete. Until then it is one beside it, whose name begins with a
 * dot and ends in `.part`.
 */
export class NewFile {
  /** Where it is until then. */
  readonly path: string
  readonly #final: string
  readonly #kind: 'file' | 'directory'
  #isThere = true

  /** @throws {FluxError} the errno of the file system, naming `final` */
  constructor(final: string, kind: 'file' | 'directory') {
    this.#final = final
    this.#kind = kind
    const dir = dirname(final)
    this.path = join(dir, `.${basename(final).slice(0, 200)}.${randomBytes(6).toString('hex')}.part`)
    try {
      // Like the state directory of an instance: of its owner alone.
      if (kind === 'directory') mkdirSync(this.path, 0o700)
      else closeSync(openSync(this.path, 'wx', 0o600))
      giveTo(ownerIn(dir), this.path)
    } catch (error) {
      this.remove()
      throw FluxError.fromSystem(error, `cannot write ${final}`)
    }
  }

  /** Make it last, under its name. @throws {FluxError} `EEXIST` when something else has the name by now */
  commit(): void {
    try {
      syncPath(this.path)
      if (this.#kind === 'directory') renameSync(this.path, this.#final)
      else moveAside(this.path, this.#final)
      this.#isThere = false
      syncPath(dirname(this.#final))
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${this.#final}`)
    }
  }

  /** Leave nothing behind. May be called at any time, does nothing after {@link commit}, and never throws. */
  remove(): void {
    if (!this.#isThere) return
    this.#isThere = false
    try {
      rmSync(this.path, { recursive: true, force: true })
    } catch {
      // There is nothing more to be done about it.
    }
  }
}

/** Whoever has a directory, if that has to be told: when root makes something in it for an instance of somebody else. */
export function ownerIn(dir: string): { uid: number; gid: number } | undefined {
  return process.geteuid?.() === 0 ? statSync(dir) : undefined
}

/** Let somebody have a file or directory. */
export function giveTo(owner: { uid: number; gid: number } | undefined, path: string): void {
  if (owner) chownSync(path, owner.uid, owner.gid)
}

/** Rename a file, but not over another. */
function moveAside(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || existsSync(to)) throw error
    // A file system without hard links.
    renameSync(from, to)
    return
  }
  rmSync(from)
}

/** Have a file or directory on disk. Some file systems cannot do that to a directory, and need not. */
export function syncPath(path: string): void {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    fsyncSync(fd)
  } catch (error) {
    // EACCES: a directory that may be written to, but not read.
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EACCES', 'EINVAL', 'ENOTSUP', 'EPERM', 'EBADF'].includes(code)) throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
