import { chownSync, fchownSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { FluxError } from '../errors/index.ts'
import { PartFile, syncPathSync } from '../files/index.ts'

/** A store that gets its name when it is complete, and then its owner too. Until then it is a {@link PartFile}. */
export class NewFile {
  readonly #part: PartFile
  readonly #final: string

  /** @throws {FluxError} the errno of the file system, naming `final` */
  constructor(final: string, kind: 'file' | 'directory') {
    this.#final = final
    try {
      this.#part = new PartFile(final, kind)
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${final}`)
    }
  }

  /** Where it is until then. */
  get path(): string {
    return this.#part.path
  }

  /** Make it last, under its name. @throws {FluxError} `EEXIST` when something else has the name by now */
  commit(): void {
    const dir = dirname(this.#final)
    try {
      const owner = ownerIn(dir)
      if (owner) fchownSync(this.#part.fd, owner.uid, owner.gid)
      syncPathSync(this.path)
      this.#part.publish('nothing')
      syncPathSync(dir)
    } catch (error) {
      throw FluxError.fromSystem(error, `cannot write ${this.#final}`)
    }
  }

  /** Leave nothing behind. May be called at any time, does nothing after {@link commit}, and never throws. */
  remove(): void {
    this.#part.remove()
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
