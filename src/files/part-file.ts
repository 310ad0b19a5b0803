/**
 * A file or directory that gets its name when it is complete. Until then it is a {@link partName} beside it, of its owner
 * alone. The descriptor is kept, so that what takes the name is sure to be what was written.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  unlinkSync,
} from 'node:fs'
import { FluxError } from '../errors/index.ts'
import { partName, removeLeftovers } from './part-name.ts'

const { O_RDWR, O_RDONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants

export class PartFile {
  /** Where it is until then. */
  readonly path: string
  /** Open for reading and writing; of a directory for reading. Closed by {@link publish} and {@link remove}. */
  readonly fd: number
  readonly #final: string
  readonly #kind: 'file' | 'directory'
  readonly #identity: string
  #isOpen = true

  /**
   * Make it, and remove what killed processes have left of the same name.
   *
   * @param final - the name it is to have
   * @throws {NodeJS.ErrnoException} of the file system
   */
  constructor(final: string, kind: 'file' | 'directory') {
    removeLeftovers(final)
    this.#final = final
    this.#kind = kind
    this.path = partName(final)
    if (kind === 'directory') {
      mkdirSync(this.path, 0o700)
      this.fd = openDirectory(this.path)
    } else {
      this.fd = openSync(this.path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    }
    this.#identity = identityOf(fstatSync(this.fd, { bigint: true }))
  }

  /**
   * Set its permission bits.
   *
   * @param mode - what was asked for; undefined: those of what it replaces, if that is ours, else its owner alone has any
   * @param replaced - what has the name already. Of somebody else's file nothing is kept
   */
  setMode(mode: number | undefined, replaced: Stats | undefined): void {
    if (mode !== undefined) {
      fchmodSync(this.fd, mode)
    } else if (replaced !== undefined && replaced.uid === process.geteuid?.()) {
      // As if it were overwritten. Where the group may not be kept, another one does not get what that had.
      const kept = this.#giveToGroup(replaced.gid) ? 0o7777 : 0o7707
      fchmodSync(this.fd, replaced.mode & kept)
    }
  }

  #giveToGroup(gid: number): boolean {
    const own = fstatSync(this.fd)
    if (own.gid === gid) return true
    try {
      fchownSync(this.fd, own.uid, gid)
      return true
    } catch {
      return false
    }
  }

  /**
   * Give it its name. What is in it must be on disk already, and the directory be flushed afterwards.
   *
   * @param onto - `any`: in place of a file of that name, or of an empty directory; `nothing`: only where there is none
   * @throws {FluxError} `EBUSY` somebody else replaced it meanwhile
   * @throws {NodeJS.ErrnoException} `EEXIST` and the like, of the file system
   */
  publish(onto: 'any' | 'nothing'): void {
    this.#assertOurs(this.path)
    if (onto === 'any' || this.#kind === 'directory') renameSync(this.path, this.#final)
    else moveAside(this.path, this.#final)
    // Between the look and the rename is a moment.
    this.#assertOurs(this.#final)
    this.#close()
  }

  /** Leave nothing behind. May be called at any time, does nothing after {@link publish}, and never throws. */
  remove(): void {
    if (!this.#isOpen) return
    try {
      const isOurs = this.#isAt(this.path)
      // First: where no more files may be open, a directory could not be read.
      this.#close()
      if (!isOurs) return
      if (this.#kind === 'file') unlinkSync(this.path)
      else rmSync(this.path, { recursive: true, force: true, maxRetries: 5 })
    } catch {
      // There is nothing more to be done about it.
    }
  }

  #assertOurs(path: string): void {
    if (this.#isAt(path)) return
    const what = path === this.#final ? 'it' : path
    throw new FluxError('EBUSY', `cannot write ${this.#final}: somebody else replaced or removed ${what} meanwhile`, {
      hint: 'write to a directory where nobody else may write',
    })
  }

  #isAt(path: string): boolean {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    return found !== undefined && identityOf(found) === this.#identity
  }

  #close(): void {
    this.#isOpen = false
    closeSync(this.fd)
  }
}

function openDirectory(path: string): number {
  try {
    return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  } catch (error) {
    rmdirSync(path)
    throw error
  }
}

function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev} ${ino}`
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
  unlinkSync(from)
}

/** The mode of a directory that goes with that of its files: whoever may read them may enter it. */
export function searchable(mode: number): number {
  return mode | ((mode & 0o444) >> 2)
}
