import { blobsMet, type ContentStore } from '../content/index.ts'
import { countText, printable } from '../errors/index.ts'
import type { ArchiveReading } from '../restore/index.ts'
import { ProgressLine } from './progress-line.ts'
import { progressText, type Status } from './progress-text.ts'
import { loadTextWidth } from './text-width.ts'

/** The members of a store that the progress line needs. */
export type StoreReading = Pick<ContentStore, 'name' | 'counts' | 'objects' | 'instance'>

/**
 * Shows on the terminal how far the reading of archives and stores is. It takes the numbers from their own counters, so
 * a command only tells it what it opens.
 */
export class Progress {
  /** True when the command reads (nearly) everything that the store holds: then the part that is done is shown. */
  isWhole = false
  readonly #line: ProgressLine
  readonly #now: () => number
  readonly #stores: StoreReading[] = []

  constructor(line = new ProgressLine(), now: () => number = () => performance.now()) {
    this.#line = line
    this.#now = now
  }

  /** Call it when an archive is read to its end. */
  readsArchive(path: string, reading: ArchiveReading): void {
    const name = path === '-' ? 'standard input' : path
    this.#show([name], () => archiveStatus(name, reading))
  }

  /** Call it when a store is opened for reading. With several stores, their counts are added. */
  readsStore(store: StoreReading): void {
    this.#stores.push(store)
    this.#show([store.name], () => storesStatus(this.#stores, this.isWhole))
  }

  /** Remove the line: the reading is done. */
  end(): void {
    this.#line.end()
  }

  #show(names: readonly string[], status: () => Status | undefined): void {
    // It is loaded before the line is first shown. If that fails, each character counts as one column.
    loadTextWidth(names).catch(() => {})
    const began = this.#now()
    this.#line.show((columns) => {
      const found = status()
      return found && progressText(found, (this.#now() - began) / 1000, columns)
    })
  }
}

export function archiveStatus(name: string, { progress, part }: ArchiveReading): Status {
  const { keys, blobs } = progress
  const counts = keys === 0 ? [] : [countText(keys, 'key'), countText(blobs, 'blob')]
  return { doing: 'Reading', name: printable(name), part, left: 'about', of: 'of the archive', counts }
}

/** @returns undefined while nothing is read from a live instance: the command may be waiting for a change */
export function storesStatus(stores: readonly StoreReading[], isWhole: boolean): Status | undefined {
  const name = [...new Set(stores.map(({ name }) => printable(name)))].join(' and ')
  let blobs = 0
  let keys = 0
  for (const { counts } of stores) {
    blobs += counts ? blobsMet(counts) : 0
    keys += counts?.keys ?? 0
  }
  if (blobs + keys === 0 && stores.some(({ instance }) => instance !== undefined)) return undefined
  const counts = []
  if (keys > 0) counts.push(countText(keys, 'key'))
  if (blobs > 0) counts.push(countText(blobs, 'blob'))
  const [{ objects = 0 } = {}, other] = stores
  // A blob with several references may count several times, hence `at most`.
  const part = isWhole && other === undefined && objects > 0 ? blobs / objects : undefined
  return { doing: 'Reading', name, part, left: 'at most', of: 'of the store', counts }
}
