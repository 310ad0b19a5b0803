/** All digests that begin with one byte. After {@link DigestIndex.finish} they are in order, each once. */
interface Bucket {
  count: number
  digests: Uint8Array
  places: Float64Array
  /** 0 for a row whose rowid is lost. */
  rowids: Uint32Array
  /** 1 for a marked blob; undefined while none is. */
  marks: Uint8Array | undefined
}

/** Room for digests in a bucket at first. */
const ROOM = 16

/** What buckets have before their first digest. It is never written to, so they share it. */
const NO_ROOM = { digests: new Uint8Array(0), places: new Float64Array(0), rowids: new Uint32Array(0) } as const

const LAST_ROWID = 0xffffffff

/**
 * Digest to place, for every blob that was found in the pages of a database: 32 bytes a blob with SHA-1.
 *
 * A blob may be found several times: in a page and in the free part of another. Its newest row is kept.
 */
export class DigestIndex {
  readonly #digestBytes: number
  /** By the first byte of a digest; undefined where there is none. */
  readonly #buckets: (Bucket | undefined)[] = Array(256).fill(undefined)
  /** How many digests come before each bucket. */
  readonly #starts: number[] = []
  #size = 0
  #order: Float64Array | undefined

  constructor(digestBytes: number) {
    this.#digestBytes = digestBytes
  }

  /** Number of blobs. While they are added, one that is found twice counts twice. */
  get size(): number {
    return this.#size
  }

  /** @param rowid - 0 when it is not known */
  add(bytes: Uint8Array, digestAt: number, place: number, rowid: number): void {
    const width = this.#digestBytes
    const first = bytes[digestAt] as number
    const bucket = this.#buckets[first] ?? { count: 0, ...NO_ROOM, marks: undefined }
    this.#buckets[first] = bucket
    if (bucket.count === bucket.places.length) resize(bucket, Math.max(ROOM, bucket.count * 2), width)
    const at = bucket.count * width
    for (let i = 0; i < width; i++) bucket.digests[at + i] = bytes[digestAt + i] as number
    bucket.places[bucket.count] = place
    bucket.rowids[bucket.count] = Math.min(rowid, LAST_ROWID)
    bucket.count++
    this.#size++
  }

  /** Put the digests in order. To be called once, after the last {@link add} and before anything else. */
  finish(): void {
    this.#size = 0
    for (const [first, bucket] of this.#buckets.entries()) {
      this.#starts.push(this.#size)
      if (bucket === undefined) continue
      const sorted = ordered(bucket, this.#digestBytes)
      this.#buckets[first] = sorted
      this.#size += sorted.count
    }
  }

  /** The place of the digest at `at` in `digests`, or -1. */
  find(digests: Uint8Array, at: number): number {
    const bucket = this.#buckets[digests[at] as number]
    if (bucket === undefined) return -1
    const place = this.#search(bucket, digests, at)
    return place < 0 ? -1 : (bucket.places[place] as number)
  }

  /** Mark the digest at `at` in `digests`. @returns false when it is not there */
  mark(digests: Uint8Array, at: number): boolean {
    const bucket = this.#buckets[digests[at] as number]
    if (bucket === undefined) return false
    const i = this.#search(bucket, digests, at)
    if (i < 0) return false
    bucket.marks ??= new Uint8Array(bucket.count)
    bucket.marks[i] = 1
    return true
  }

  /** 1 for each marked blob, as {@link places}. */
  marks(from: number, count: number): Uint8Array {
    return Uint8Array.from(this.#rowOrder().subarray(from, from + count), (packed) => {
      const [bucket, at] = this.#at(packed)
      return bucket.marks?.[at] ?? 0
    })
  }

  /** The places of some blobs, in the order of their rows. */
  places(from: number, count: number): Float64Array {
    return Float64Array.from(this.#rowOrder().subarray(from, from + count), (packed) => {
      const [bucket, at] = this.#at(packed)
      return bucket.places[at] as number
    })
  }

  /** The digests of some blobs, in the order of their rows, one after another. */
  digests(from: number, count: number): Uint8Array {
    const width = this.#digestBytes
    const order = this.#rowOrder().subarray(from, from + count)
    const digests = new Uint8Array(order.length * width)
    for (const [i, packed] of order.entries()) {
      const [bucket, at] = this.#at(packed)
      digests.set(bucket.digests.subarray(at * width, (at + 1) * width), i * width)
    }
    return digests
  }

  /** Rowid times number of blobs plus number among all digests, ascending. */
  #rowOrder(): Float64Array {
    if (this.#order !== undefined) return this.#order
    const order = new Float64Array(this.#size)
    // Only so that it is exact: rowids come nowhere near that.
    const last = Math.floor(Number.MAX_SAFE_INTEGER / Math.max(1, this.#size)) - 1
    let number = 0
    for (const { count, rowids } of this.#buckets.filter((bucket) => bucket !== undefined)) {
      for (let i = 0; i < count; i++) order[number] = Math.min(rowids[i] as number, last) * this.#size + number++
    }
    this.#order = order.sort()
    return this.#order
  }

  #at(packed: number): [bucket: Bucket, at: number] {
    const number = packed % this.#size
    let low = 0
    let high = this.#buckets.length - 1
    // The last bucket that begins at or before the number.
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#starts[middle] as number) <= number) low = middle
      else high = middle - 1
    }
    return [this.#buckets[low] as Bucket, number - (this.#starts[low] as number)]
  }

  #search({ digests, count }: Bucket, wanted: Uint8Array, at: number): number {
    const width = this.#digestBytes
    let low = 0
    let high = count - 1
    // Digests are spread evenly: guess the first time.
    const key = ((wanted[at + 1] as number) << 8) | (wanted[at + 2] as number)
    let middle = Math.min(high, Math.floor((key * count) / 0x10000))
    while (low <= high) {
      const order = compare(digests, middle * width, wanted, at, width)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle - 1
      middle = (low + high) >>> 1
    }
    return -1
  }
}

function compare(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, width: number): number {
  for (let i = 0; i < width; i++) {
    const difference = (a[aAt + i] as number) - (b[bAt + i] as number)
    if (difference !== 0) return difference
  }
  return 0
}

function resize(bucket: Bucket, room: number, width: number): void {
  const digests = new Uint8Array(room * width)
  digests.set(bucket.digests.subarray(0, room * width))
  bucket.digests = digests
  const places = new Float64Array(room)
  places.set(bucket.places.subarray(0, room))
  bucket.places = places
  const rowids = new Uint32Array(room)
  rowids.set(bucket.rowids.subarray(0, room))
  bucket.rowids = rowids
}

/** The same bucket in the order of its digests, without duplicates: of equal digests, the last row stays. */
function ordered(bucket: Bucket, width: number): Bucket {
  const { digests, count } = bucket
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  order.sort((a, b) => compare(digests, a * width, digests, b * width, width))
  const sorted: Bucket = {
    count: 0,
    digests: new Uint8Array(count * width),
    places: new Float64Array(count),
    rowids: new Uint32Array(count),
    marks: undefined,
  }
  for (const i of order) {
    const last = sorted.count - 1
    const isSame = last >= 0 && compare(sorted.digests, last * width, digests, i * width, width) === 0
    const rowid = bucket.rowids[i] as number
    if (isSame && rowid <= (sorted.rowids[last] as number)) continue
    const at = isSame ? last : sorted.count++
    sorted.digests.set(digests.subarray(i * width, (i + 1) * width), at * width)
    sorted.places[at] = bucket.places[i] as number
    sorted.rowids[at] = rowid
  }
  if (sorted.count < count) resize(sorted, sorted.count, width)
  return sorted
}
