import { blobsMet, type ContentStore } from '../content/index.ts'
import { countText, printable } from '../errors/index.ts'
import type { ArchiveReading } from '../restore/index.ts'
import { ProgressLine } from './progress-line.ts'
import { progressText, type Status } from './progress-text.ts'
import { loadTextWidth } from './text-width.ts'

/** What is read of a store. */
export type StoreReading = Pick<ContentStore, 'name' | 'counts' | 'objects' | 'instance'>

/**
 * Shows on the terminal how far a command is that reads archives and stores: it looks at what they count themselves. A
 * command only says what it opens.
 */
export class Progress {
  /** True when all that a store holds is going to be read, or nearly: then it is told how much of it has been. */
  isWhole = false
  readonly #line: ProgressLine
  readonly #now: () => number
  readonly #stores: StoreReading[] = []

  constructor(line = new ProgressLine(), now: () => number = () => performance.now()) {
    this.#line = line
    this.#now = now
  }

  /** An archive is being read to its end. */
  readsArchive(path: string, reading: ArchiveReading): void {
    const name = path === '-' ? 'standard input' : path
    this.#show([name], () => archiveStatus(name, reading))
  }

  /** A store has been opened, and is going to be read; with those before it, which are read too. */
  readsStore(store: StoreReading): void {
    this.#stores.push(store)
    this.#show([store.name], () => storesStatus(this.#stores, this.isWhole))
  }

  /** All has been read. */
  end(): void {
    this.#line.end()
  }

  #show(names: readonly string[], status: () => Status | undefined): void {
    // Nothing is shown so soon. If it cannot be loaded, a name is measured by its characters.
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

/** @returns undefined while there is nothing to say: a live instance may be waited for as long as it likes */
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
  // A blob that is referred to twice may count twice.
  const part = isWhole && other === undefined && objects > 0 ? blobs / objects : undefined
  return { doing: 'Reading', name, part, left: 'at most', of: 'of the store', counts }
}
