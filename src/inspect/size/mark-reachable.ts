import { type ContentStore, DIGEST_BYTES } from '../../content/index.ts'
import { DigestMap, type DirEntries, DirScan, type DirVisitor, ENTRY } from '../../kvs/index.ts'
import { Marking } from '../marking.ts'

/**
 * Mark every blob that can be reached from some roots. Each directory is read once; values are not read.
 *
 * @param mark - `StoreOnDisk.markDigests` of the store
 * @returns how many directories and directory entries could not be read; what is below them is not marked
 * @throws {FluxError} when the store as a whole fails
 */
export async function markReachable(
  store: ContentStore,
  mark: (digests: Uint8Array) => Promise<number>,
  rootrefs: readonly string[],
  signal?: AbortSignal,
): Promise<number> {
  const marking = new Marking(store.hash, mark)
  const marker = new Marker(DIGEST_BYTES[store.hash], marking)
  await new DirScan(store, marker, signal).run(rootrefs)
  await marking.finish()
  return marker.unreadable
}

class Marker implements DirVisitor {
  /** Directories and entries that could not be read. */
  unreadable = 0
  readonly #seen: DigestMap
  readonly #marking: Marking

  constructor(digestBytes: number, marking: Marking) {
    this.#seen = new DigestMap(digestBytes)
    this.#marking = marking
  }

  /** Places are not needed. */
  onDirref(_place: number, digest: Uint8Array): number | undefined {
    const { size } = this.#seen
    if (this.#seen.add(digest) !== size) return undefined
    this.#marking.addDigest(digest)
    return 0
  }

  onDir(): void {}

  onValue(_place: number, entry: DirEntries): void {
    if (entry.type === ENTRY.VALREF) this.#marking.addAll(entry)
  }

  onLink(): void {}

  onFault(): void {
    this.unreadable++
  }

  afterBatch(): Promise<void> | undefined {
    return this.#marking.markFull()
  }
}
