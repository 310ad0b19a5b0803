/**
 * The type of an entry of a directory. BAD: not a tree object, or a dirref that Flux would not follow.
 */
export const ENTRY = { VAL: 0, VALREF: 1, DIRREF: 2, SYMLINK: 3, BAD: 4 } as const

/** Entries of a directory in arrays, which are used again for the next one. */
export class EntryList {
  /** Number of entries. */
  size = 0
  /** For each entry: its type, and the bits of its name. */
  types = new Uint8Array(64)
  names = new Uint16Array(64)
  /** For each entry: where it begins in the text of the directory, and the time of an inline eventlog. */
  starts = new Uint32Array(64)
  times = new Float64Array(64)
  /** For each entry: where its blobs end in `refs`. They begin where those of the entry before end. */
  ends = new Uint32Array(64)
  /** Ordinals of blobs; -1 for a blob that is not in the store. */
  refs = new Int32Array(256)
  #used = 0

  /** Number of blobs, of all entries and of the one that is not added yet. */
  get used(): number {
    return this.#used
  }

  clear(): void {
    this.size = 0
    this.#used = 0
  }

  /** Add a blob of the next entry. */
  ref(ordinal: number): void {
    if (this.#used === this.refs.length) this.#reserve(this.size, this.#used + 1)
    this.refs[this.#used++] = ordinal
  }

  /** Drop the blobs of an entry that is not added yet. @param used - as it was before them */
  dropRefs(used: number): void {
    this.#used = used
  }

  /** Add an entry, with the blobs since the last one. */
  add(type: number, name: number, start: number, time: number): void {
    const { size } = this
    if (size === this.types.length) this.#reserve(size + 1, this.#used)
    this.types[size] = type
    this.names[size] = name
    this.starts[size] = start
    this.times[size] = time
    this.ends[size] = this.#used
    this.size++
  }

  /**
   * Add entries of another list.
   *
   * @param from - the first of them
   * @param to - the first one that is not added
   * @param shift - how much further on they begin in the text of this directory
   */
  append(other: EntryList, from: number, to: number, shift: number): void {
    if (to <= from) return
    const { size } = this
    const firstRef = from === 0 ? 0 : (other.ends[from - 1] as number)
    const lastRef = other.ends[to - 1] as number
    this.#reserve(size + to - from, this.#used + lastRef - firstRef)
    this.types.set(other.types.subarray(from, to), size)
    this.names.set(other.names.subarray(from, to), size)
    this.times.set(other.times.subarray(from, to), size)
    this.refs.set(other.refs.subarray(firstRef, lastRef), this.#used)
    const refShift = this.#used - firstRef
    for (let i = from, at = size; i < to; i++, at++) {
      this.starts[at] = (other.starts[i] as number) + shift
      this.ends[at] = (other.ends[i] as number) + refShift
    }
    this.size += to - from
    this.#used += lastRef - firstRef
  }

  /** The first entry that begins at `start` or later: {@link size} when none does. */
  firstFrom(start: number): number {
    let low = 0
    let high = this.size
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.starts[middle] as number) < start) low = middle + 1
      else high = middle
    }
    return low
  }

  #reserve(size: number, used: number): void {
    this.types = grown(this.types, size)
    this.names = grown(this.names, size)
    this.starts = grown(this.starts, size)
    this.times = grown(this.times, size)
    this.ends = grown(this.ends, size)
    this.refs = grown(this.refs, used)
  }
}

/** An array with room for at least `size` numbers: the same one, or a larger copy. */
function grown<A extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(
  numbers: A,
  size: number,
): A {
  if (size <= numbers.length) return numbers
  const larger = new (numbers.constructor as new (length: number) => A)(Math.max(size, numbers.length * 2))
  larger.set(numbers)
  return larger
}
