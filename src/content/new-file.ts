import { chownSync, fchownSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { writeError } from '../errors/index.ts'
import { PartFile, syncPathSync } from '../files/index.ts'

/** Everybody may write, and the sticky bit is set, as in /tmp. */
const EVERYBODY = 0o1002

/** A new store that gets its final name and owner when it is complete. Until then it is a {@link PartFile}. */
export class NewFile {
  readonly #part: PartFile
  readonly #final: string

  /** @throws {FluxError} the errno of the file system, naming `final` */
  constructor(final: string, kind: 'file' | 'directory') {
    this.#final = final
    try {
      this.#part = new PartFile(final, kind)
    } catch (error) {
      throw writeError(error, final)
    }
  }

  /** The path until {@link commit}. */
  get path(): string {
    return this.#part.path
  }

  /** Flush it to disk and give it its final name. @throws {FluxError} `EEXIST` something else has the name by now */
  commit(): void {
    const dir = dirname(this.#final)
    try {
      const owner = ownerIn(dir)
      if (owner) fchownSync(this.#part.fd, owner.uid, owner.gid)
      syncPathSync(this.path)
      this.#part.publish('nothing')
      syncPathSync(dir)
    } catch (error) {
      throw writeError(error, this.#final)
    }
  }

  /** Remove it, if it was not committed. May be called at any time; never throws. */
  remove(): void {
    this.#part.remove()
  }
}

/**
 * The owner that a new file in a directory must get when root makes it: that of the directory. Otherwise undefined, and for
 * a directory in /tmp too: there anybody can make one of the name that root is going to use.
 */
export function ownerIn(dir: string): { uid: number; gid: number } | undefined {
  if (process.geteuid?.() !== 0) return undefined
  return (statSync(dirname(realpathSync(dir))).mode & EVERYBODY) === EVERYBODY ? undefined : statSync(dir)
}

/** Change the owner of a file or directory, unless `owner` is undefined. */
export function giveTo(owner: { uid: number; gid: number } | undefined, path: string): void {
  if (owner) chownSync(path, owner.uid, owner.gid)
}
