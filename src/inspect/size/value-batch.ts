/** The blobs of the values in a batch of directories, as requests to a store. */
import { BlobRequest, type HashName } from '../../content/index.ts'
import { type DirEntries, requestRef } from '../../kvs/index.ts'

/** Blobs of values that are measured in one call. */
const MEASURED = 2048

/** Blobs of values, and what each belongs to. */
export interface ValueBlobs<Place> {
  readonly request: BlobRequest
  readonly places: Place[]
  /** The names of the values. */
  readonly names: string[]
  /** The position of each blob in the value's list of blobrefs, from 0. */
  readonly indexes: number[]
}

/** Collects the values of a batch of directories. A place is what is kept for a directory. */
export class ValueBatch<Place> {
  readonly #hash: HashName
  #all: ValueBlobs<Place>[] = []

  constructor(hash: HashName) {
    this.#hash = hash
  }

  get isEmpty(): boolean {
    return this.#all.length === 0
  }

  add(place: Place, entry: DirEntries): void {
    const { name } = entry
    for (let index = 0; index < entry.refCount; index++) {
      let last = this.#all.at(-1)
      if (last === undefined || last.request.count === MEASURED) {
        last = { request: new BlobRequest(this.#hash, MEASURED), places: [], names: [], indexes: [] }
        this.#all.push(last)
      }
      requestRef(last.request, entry, index)
      last.places.push(place)
      last.names.push(name)
      last.indexes.push(index)
    }
  }

  take(): ValueBlobs<Place>[] {
    const all = this.#all
    this.#all = []
    return all
  }
}
