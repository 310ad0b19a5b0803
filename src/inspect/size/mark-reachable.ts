import { blobrefHex, type ContentStore } from '../../content/index.ts'
import { dirrefOf, type ScanVisitor, TreeScan, type Val, type Valref } from '../../kvs/index.ts'

/** Directories that are loaded in one batch. */
const BATCH = 512

/** Blobs that are marked in one batch. */
const MARKED = 4096

/**
 * Mark every blob that can be reached from some roots. Each directory is read once; values are not read.
 *
 * @param mark - `StoreOnDisk.mark` of the store
 * @returns how many directories and directory entries could not be read; what is below them is not marked
 * @throws {FluxError} when the store as a whole fails
 */
export async function markReachable(
  store: ContentStore,
  mark: (digests: Uint8Array) => Promise<number>,
  rootrefs: readonly string[],
  signal?: AbortSignal,
): Promise<number> {
  const marker = new Marker(rootrefs, mark)
  const roots = [...new Set(rootrefs)].map((rootref) => [dirrefOf(rootref), null] as const)
  await new TreeScan(store, marker, { most: BATCH, batches: 2, signal }).run(roots)
  await marker.flush()
  return marker.unreadable
}

class Marker implements ScanVisitor<null> {
  /** Directories and entries that could not be read. */
  unreadable = 0
  readonly #seen: Set<string>
  #found: string[]
  readonly #mark: (digests: Uint8Array) => Promise<number>

  constructor(rootrefs: readonly string[], mark: (digests: Uint8Array) => Promise<number>) {
    this.#seen = new Set(rootrefs)
    this.#found = [...this.#seen]
    this.#mark = mark
  }

  onDirref(_place: null, _name: string, blobref: string): null | undefined {
    if (this.#seen.has(blobref)) return undefined
    this.#seen.add(blobref)
    this.#found.push(blobref)
    return null
  }

  onInlineDir(): null {
    return null
  }

  onDir(): void {}

  onValue(_place: null, _name: string, obj: Val | Valref): void {
    if (obj.type === 'valref') for (const blobref of obj.data) this.#found.push(blobref)
  }

  onLink(): void {}

  onFault(): void {
    this.unreadable++
  }

  keyOf(): string {
    return ''
  }

  afterBatch(): Promise<void> | undefined {
    return this.#found.length < MARKED ? undefined : this.flush()
  }

  /** Mark the blobs that have been found since the last call. */
  async flush(): Promise<void> {
    const found = this.#found
    this.#found = []
    if (found.length > 0) await this.#mark(Buffer.from(found.map((blobref) => blobrefHex(blobref)).join(''), 'hex'))
  }
}
