import type { Refs } from './refs.ts'
import { type DirObj, type EntryObj, type Invalid, type Symlink, sortedNames, type Val } from './treeobj.ts'

/** The type of an entry, as a small number. */
export const ENTRY = { VAL: 0, VALREF: 1, DIRREF: 2, SYMLINK: 3, DIR: 4, INVALID: 5 } as const

export type EntryType = (typeof ENTRY)[keyof typeof ENTRY]

/**
 * The entries of one directory, one after another. {@link next} goes to the next entry, and the other members are about
 * that one. Its blobrefs are those of a `valref` or `dirref`.
 */
export interface DirEntries extends Refs {
  /** True when there is a next entry. */
  readonly hasNext: boolean
  /** Go to the next entry. @returns false at the end */
  next(): boolean
  readonly type: EntryType
  readonly name: string
  /** The object of an entry that has no blobrefs. */
  readonly obj: Val | Symlink | DirObj | Invalid
  /** True when the directory has an entry of this name. Does not move. */
  has(name: string): boolean
}

/** The entries of a directory that has been decoded. */
export class DecodedDir implements DirEntries {
  type: EntryType = ENTRY.VAL
  name = ''
  readonly refsAt = 0
  readonly #data: DirObj['data']
  readonly #names: readonly string[]
  readonly #reverse: boolean
  #at = 0

  /** @param reverse - visit the names from the last to the first */
  constructor(dir: DirObj, reverse: boolean) {
    this.#data = dir.data
    this.#names = sortedNames(dir)
    this.#reverse = reverse
  }

  get hasNext(): boolean {
    return this.#at < this.#names.length
  }

  next(): boolean {
    const names = this.#names
    if (!this.hasNext) return false
    this.name = names[this.#reverse ? names.length - 1 - this.#at : this.#at] as string
    this.#at++
    this.type = TYPES[this.#entry.type]
    return true
  }

  get obj(): Val | Symlink | DirObj | Invalid {
    return this.#entry as Val | Symlink | DirObj | Invalid
  }

  get refs(): readonly string[] {
    return this.#entry.type === 'valref' || this.#entry.type === 'dirref' ? this.#entry.data : []
  }

  get refCount(): number {
    return this.refs.length
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#data, name)
  }

  get #entry(): EntryObj {
    return this.#data[this.name] as EntryObj
  }
}

const TYPES: Readonly<Record<EntryObj['type'], EntryType>> = {
  val: ENTRY.VAL,
  valref: ENTRY.VALREF,
  dirref: ENTRY.DIRREF,
  symlink: ENTRY.SYMLINK,
  dir: ENTRY.DIR,
  invalid: ENTRY.INVALID,
}
