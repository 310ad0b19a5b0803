/** What takes the room, by kinds of records. */
import type { SnapshotRoot } from '../../kvs/index.ts'
import type { DuOptions, SizeMeter, Usage } from './sums.ts'
import { treeSums } from './tree-sums.ts'

/** Characters of `job.0000.0007.c400.0000`. */
const JOB_KEY = 23

/** How much one kind of records takes. */
export interface KindSize {
  /** `eventlog`, `jobspec`, `guest output`, `directories` and so on. */
  readonly kind: string
  readonly count: number
  readonly bytes: number
}

/**
 * Add up what is below a directory by kinds of records.
 *
 * @returns the sums of the directory, and the kinds, the largest first
 * @throws {TreeError} see {@link InspectOptions.onFault}
 * @throws {FluxError} as {@link du}
 */
export async function duByKind(
  snapshot: SnapshotRoot,
  options: Omit<DuOptions, 'depth'>,
): Promise<{ total: Usage; kinds: KindSize[] }> {
  const meter = new RecordKinds()
  const sums = await treeSums(snapshot, { ...options, depth: 0, meter })
  sums.release()
  const total = sums.usages[0] as Usage
  return { total, kinds: meter.rows(total.bytes) }
}

/** Adds up values by what they are records of. */
export class RecordKinds implements SizeMeter {
  readonly #kinds = new Map<string, { count: number; bytes: number }>()
  #dirs = 0
  #dirBytes = 0
  /** The bytes that are counted with the values that they belong to. */
  #inlineBytes = 0

  onDir(bytes: number): void {
    this.#dirs++
    this.#dirBytes += bytes
  }

  onValue(dir: string, name: string, bytes: number, isInline: boolean): void {
    const kind = kindOf(dir, name)
    let counts = this.#kinds.get(kind)
    if (counts === undefined) this.#kinds.set(kind, (counts = { count: 0, bytes: 0 }))
    counts.count++
    counts.bytes += bytes
    if (isInline) this.#inlineBytes += bytes
  }

  /**
   * The kinds, the largest first.
   *
   * @param bytes - of all, once for each reference
   */
  rows(bytes: number): KindSize[] {
    const rows = [...this.#kinds].map(([kind, counts]) => ({ kind, ...counts }))
    const own = Math.max(0, this.#dirBytes - this.#inlineBytes)
    if (this.#dirs > 0) rows.push({ kind: 'directories', count: this.#dirs, bytes: own })
    // Directories that several keys lead to were counted once.
    const again = bytes - rows.reduce((sum, row) => sum + row.bytes, 0)
    if (again > 0) rows.push({ kind: 'repeated', count: 0, bytes: again })
    return rows.sort((a, b) => b.bytes - a.bytes)
  }
}

const RECORDS = new Set(['J', 'jobspec', 'R', 'eventlog'])

function kindOf(dir: string, name: string): string {
  if (dir.startsWith('job.') && dir.length >= JOB_KEY) {
    if (dir.length === JOB_KEY) return RECORDS.has(name) ? name : 'other job records'
    if (!dir.startsWith('.guest', JOB_KEY)) return 'other job records'
    if (dir.startsWith('.guest.output', JOB_KEY) || name === 'output') return 'guest output'
    return name === 'eventlog' ? 'guest eventlog' : 'other guest records'
  }
  return dir === 'resource' || dir.startsWith('resource.') ? 'resource' : 'others'
}
