import type { Change, KeyContent } from './change.ts'

/** Number of changes below a key, or of all changes. */
export interface StatRow {
  /** A top-level key; `total` for all changes. */
  readonly key: string
  added: number
  removed: number
  changed: number
  /** Bytes by which the values have grown; negative when they have shrunk. */
  bytes: number
}

/** Counts changes as they pass through {@link DiffTotals.count}. */
export class DiffTotals {
  readonly #rows = new Map<string, StatRow>()
  readonly #total = emptyRow('total')

  /** All changes so far. */
  get changes(): number {
    const { added, removed, changed } = this.#total
    return added + removed + changed
  }

  /** The counts of all changes. */
  get total(): Omit<StatRow, 'key'> {
    const { key: _, ...counts } = this.#total
    return counts
  }

  /** Count each batch, and yield it unchanged. */
  async *count(batches: AsyncIterable<Change[]>): AsyncGenerator<Change[], void, void> {
    for await (const batch of batches) {
      for (const change of batch) this.#add(change)
      yield batch
    }
  }

  /** A row for each top-level key, in the order of the changes. */
  topRows(): StatRow[] {
    return [...this.#rows.values()]
  }

  /** {@link topRows}, and a row for all changes. */
  rows(): StatRow[] {
    return [...this.topRows(), this.#total]
  }

  #add({ key, change, before, after }: Change): void {
    const name = key.split('.', 1)[0] as string
    let row = this.#rows.get(name)
    if (row === undefined) this.#rows.set(name, (row = emptyRow(name)))
    for (const each of [row, this.#total]) {
      each[change]++
      each.bytes += sizeOf(after) - sizeOf(before)
    }
  }
}

function emptyRow(key: string): StatRow {
  return { key, added: 0, removed: 0, changed: 0, bytes: 0 }
}

function sizeOf(held: KeyContent | undefined): number {
  return held?.type === 'value' ? held.size : 0
}

/** Counts as `--json` prints them. */
export function countsJson({ added, removed, changed, bytes }: Omit<StatRow, 'key'>): object {
  return { addedCount: added, removedCount: removed, changedCount: changed, byteDelta: bytes }
}

/** A change as `--json` prints it. */
export function changeJson({ key, change, before, after }: Change): object {
  return { key, change, before: heldJson(before), after: heldJson(after) }
}

function heldJson(held: KeyContent | undefined): object | null {
  if (held === undefined) return null
  if (held.type === 'value') return { type: 'value', size: held.size }
  const { type, target, namespace = null } = held
  return { type, target, namespace }
}
