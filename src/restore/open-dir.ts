import {
  type DirObj,
  decodeTreeObj,
  dirrefText,
  dirText,
  inByteOrder,
  sortedNames,
  sortNames,
  treeObjText,
  valrefText,
} from '../kvs/index.ts'
import type { SpooledDir } from './dir-spool.ts'

/** The blobref of a value stored as one blob, as nearly all are; else the text of the tree object of a value or symlink. */
export type RestoreLeaf = string

/** Bytes that an entry takes in memory besides its name and its leaf, about. */
const ENTRY_BYTES = 64

/** A directory to which entries can be added. */
export class OpenDir {
  readonly parent: OpenDir | undefined
  readonly name: string
  /** Its place among the entries of its parent. */
  readonly place: number
  /** Bytes that it takes in memory, about. */
  weight = 0
  readonly #names: string[] = []
  /** A leaf; a directory; or the blobref of a directory that is complete. */
  readonly #entries: (RestoreLeaf | OpenDir)[] = []
  /** For a leaf, the bytes of its value. For a complete directory, where it is in the spool: see {@link spooled}. */
  readonly #numbers: number[] = []
  /** True while each name is greater than the one before. Then a greater one is new, and need not be looked up. */
  #ascending = true
  /** The place of each name. Made when it is needed first. */
  #places: Map<string, number> | undefined

  constructor(parent?: OpenDir, name = '', place = 0) {
    this.parent = parent
    this.name = name
    this.place = place
  }

  /** A directory as it was spooled. */
  static from({ blob, numbers }: SpooledDir, parent: OpenDir, name: string, place: number): OpenDir {
    const dir = new OpenDir(parent, name, place)
    const obj = decodeTreeObj(blob) as DirObj
    for (const [i, entryName] of sortedNames(obj).entries()) {
      const entry = obj.data[entryName] as DirObj['data'][string]
      const isOne = entry.type === 'dirref' || (entry.type === 'valref' && entry.data.length === 1)
      dir.add(entryName, isOne ? (entry.data[0] as string) : treeObjText(entry), numbers[i] as number)
    }
    return dir
  }

  /** How many entries it has. */
  get size(): number {
    return this.#names.length
  }

  /** The place of a name; undefined when there is none. */
  placeOf(name: string): number | undefined {
    const names = this.#names
    const last = names.length - 1
    if (this.#ascending) {
      if (last < 0 || name > (names[last] as string)) return undefined
      if (name === names[last]) return last
    }
    this.#places ??= new Map(names.map((known, place) => [known, place]))
    return this.#places.get(name)
  }

  entry(place: number): RestoreLeaf | OpenDir {
    return this.#entries[place] as RestoreLeaf | OpenDir
  }

  /** The number of an entry. */
  number(place: number): number {
    return this.#numbers[place] as number
  }

  /** Add an entry under a new name. @returns its place */
  add(name: string, entry: RestoreLeaf | OpenDir, number: number): number {
    const place = this.#names.length
    if (this.#ascending && place > 0 && name <= (this.#names[place - 1] as string)) this.#ascending = false
    this.#names.push(name)
    this.#entries.push(entry)
    this.#numbers.push(number)
    this.#places?.set(name, place)
    this.weight += ENTRY_BYTES + name.length + (typeof entry === 'string' ? entry.length : 0)
    return place
  }

  /** Replace an entry. */
  set(place: number, entry: RestoreLeaf | OpenDir, number: number): void {
    this.#entries[place] = entry
    this.#numbers[place] = number
  }

  /**
   * The text of its blob, and the numbers of its entries in the same order. All directories in it must be complete.
   */
  encode(): { text: string; numbers: readonly number[] } {
    if (!inByteOrder(this.#names)) this.#sort()
    const numbers = this.#numbers
    const texts = this.#entries.map((entry, i) => textOf(entry as string, numbers[i] as number))
    return { text: dirText(this.#names, texts), numbers }
  }

  #sort(): void {
    const places = new Map(this.#names.map((name, place) => [name, place]))
    const [entries, numbers] = [this.#entries.slice(), this.#numbers.slice()]
    for (const [place, name] of sortNames(this.#names).entries()) {
      const before = places.get(name) as number
      this.#entries[place] = entries[before] as RestoreLeaf
      this.#numbers[place] = numbers[before] as number
    }
  }
}

/** The number of a complete directory in its parent. That of a leaf is never negative. */
export function spooled(offset: number): number {
  return -1 - offset
}

/** Where the directory with this number is in the spool; undefined for the number of a leaf. */
export function spooledAt(number: number): number | undefined {
  return number < 0 ? -1 - number : undefined
}

function textOf(entry: string, number: number): string {
  if (number < 0) return dirrefText(entry)
  return isText(entry) ? entry : valrefText([entry])
}

/** True for the text of a tree object, false for a blobref. */
function isText(leaf: RestoreLeaf): boolean {
  return leaf.startsWith('{')
}
