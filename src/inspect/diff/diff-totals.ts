import type { Change, KeyContent } from './change.ts'

/** Changes below a key, or all of them. */
export interface StatRow {
  /** A name of the top level; `total` for all. */
  readonly key: string
  added: number
  removed: number
  changed: number
  /** By how much the values have grown; negative when they have shrunk. */
  bytes: number
}

/** Counts changes as they pass. */
export class DiffTotals {
  readonly #rows = new Map<string, StatRow>()
  readonly #total = emptyRow('total')

  /** All changes so far. */
  get changes(): number {
    const { added, removed, changed } = this.#total
    return added + removed + changed
  }

  /** The counts of all, by their names. */
  get total(): Omit<StatRow, 'key'> {
    const { key: _, ...counts } = this.#total
    return counts
  }

  /** Hand on what passes, counted. */
  async *count(batches: AsyncIterable<Change[]>): AsyncGenerator<Change[], void, void> {
    for await (const batch of batches) {
      for (const change of batch) this.#add(change)
      yield batch
    }
  }

  /** A row for each key of the top level, in order. */
  topRows(): StatRow[] {
    return [...this.#rows.values()]
  }

  /** The same, and one for all. */
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
