/**
 * A file or directory that gets its final name when it is complete. Until then it has a {@link partName} in the same
 * directory, and only its owner has access. The descriptor stays open, to check that what gets the name is what was
 * written.
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
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  unlinkSync,
} from 'node:fs'
import { basename } from 'node:path'
import { FluxError } from '../errors/index.ts'
import { partName, removeLeftovers } from './part-name.ts'

const { O_RDWR, O_RDONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants

export class PartFile {
  /** The path until {@link publish}. */
  readonly path: string
  /** Open for reading and writing; a directory for reading only. {@link publish} and {@link remove} close it. */
  readonly fd: number
  readonly #final: string
  readonly #kind: 'file' | 'directory'
  readonly #identity: string
  #isOpen = true

  /**
   * Create the file or directory, and remove what killed processes left for the same final name.
   *
   * @param final - the final path
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
   * Set the permission bits.
   *
   * @param mode - the bits to set. When undefined, the bits of the replaced file are kept if that file is ours;
   *   otherwise only the owner has access
   * @param replaced - the file that has the final name now. Nothing is kept of a file of another user
   */
  setMode(mode: number | undefined, replaced: Stats | undefined): void {
    if (mode !== undefined) {
      fchmodSync(this.fd, mode)
    } else if (replaced !== undefined && replaced.uid === process.geteuid?.()) {
      // As if the file were overwritten. If we may not keep its group, our group must not get the rights of that group.
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
   * Give it its final name. The contents must be on disk before, and the caller must flush the directory afterwards.
   *
   * @param onto - `any`: replace a file of that name, or an empty directory; `nothing`: replace no file
   * @throws {FluxError} `EBUSY` somebody else replaced or removed it meanwhile
   * @throws {NodeJS.ErrnoException} `EEXIST` and the like, of the file system
   */
  publish(onto: 'any' | 'nothing'): void {
    this.#assertOurs(this.path)
    if (onto === 'any' || this.#kind === 'directory') renameSync(this.path, this.#final)
    else moveAside(this.path, this.#final)
    // It could have been replaced between the check and the rename.
    this.#assertOurs(this.#final)
    this.#close()
  }

  /** Remove it, if it was not published. May be called at any time; never throws. */
  remove(): void {
    if (!this.#isOpen) return
    try {
      const path = this.#isAt(this.path) ? this.path : this.#movedPath()
      // Close first: at the limit on open files, the directory could not be read otherwise.
      this.#close()
      if (path === undefined) return
      if (this.#kind === 'file') unlinkSync(path)
      else rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    } catch {
      // Nothing more can be done. The next process removes it: see removeLeftovers.
    }
  }

  /** Its path when a directory above it was renamed. Undefined when it has another name: somebody wants to keep it. */
  #movedPath(): string | undefined {
    try {
      const path = readlinkSync(`/proc/self/fd/${this.fd}`)
      return basename(path) === basename(this.path) && this.#isAt(path) ? path : undefined
    } catch {
      // Only Linux has it.
      return undefined
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

/** Rename a file without replacing another: a hard link fails with `EEXIST`, where rename(2) would replace. */
function moveAside(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || existsSync(to)) throw error
    // The file system has no hard links.
    renameSync(from, to)
    return
  }
  unlinkSync(from)
}

/** The mode of a directory for files of a mode: users who may read the files may also enter the directory. */
export function searchable(mode: number): number {
  return mode | ((mode & 0o444) >> 2)
}
