/** What takes the room in a snapshot. */
import { type CheckedTree, checkedSums, type FoldedNode, foldedTree, type SizeMeter } from '../inspect/index.ts'
import { keyIn, type Snapshot } from '../kvs/index.ts'
import type { Faults } from './faults.ts'
import type { Names } from './names.ts'
import type { ReportHealth, ReportRoom, ReportTreeNode } from './report-data.ts'

/** Keys in a list. */
const LISTED = 20

/** `flux restore --size-limit=100M`, as the rc script of Flux calls it. In bytes. */
const SIZE_LIMIT = 100 << 20

/** Characters of `job.0000.0007.c400.0000`. */
const JOB_KEY = 23

/** What takes the room, and which values a restart of Flux would drop. */
export interface GatheredRoom {
  readonly room: ReportRoom
  readonly oversized: ReportHealth['oversized']
  /** The check of the snapshot and of the other roots, if all is whole. */
  readonly checked: CheckedTree | undefined
}

/** What {@link gatherRoom} needs besides the snapshot. */
export interface RoomOptions {
  /** Other roots to check meanwhile. */
  readonly rootrefs: readonly string[]
  readonly names: Names
  readonly faults: Faults
  readonly signal: AbortSignal | undefined
}

/** Add up what takes the room, and check it. @throws {TreeError} the root is damaged */
export async function gatherRoom(snapshot: Snapshot, options: RoomOptions): Promise<GatheredRoom> {
  const { rootrefs, names, faults, signal } = options
  const { onFault } = faults
  const kinds = new Kinds()
  const { sums, checked } = await checkedSums(snapshot, { depth: 0, meter: kinds, rootrefs, onFault, signal })
  const [{ bytes = 0, onceBytes = 0, valueBytes = 0, keys = 0, dirs = 0 } = {}] = sums.usages
  // What cannot be read has been told by then.
  const tree = await foldedTree(snapshot, sums, { onFault() {}, signal })
  sums.release()
  const named = ({ key, bytes }: SizedKey) => ({ key: names.key(key), bytes })
  return {
    checked,
    room: {
      bytes,
      onceBytes,
      valueBytes,
      keys,
      dirs,
      tree: treeNode(tree, '.', names),
      kinds: kinds.rows(bytes),
      largest: kinds.largest.keys.map(named),
    },
    oversized: { limit: SIZE_LIMIT, count: kinds.oversized, keys: kinds.largest.above(SIZE_LIMIT).map(named) },
  }
}

/** The room of a snapshot that cannot be read. */
export function noRoom(): GatheredRoom {
  const tree = { name: '.', bytes: 0, keys: 0, folded: 0, children: [] }
  return {
    checked: undefined,
    room: { bytes: 0, onceBytes: 0, valueBytes: 0, keys: 0, dirs: 0, tree, kinds: [], largest: [] },
    oversized: { limit: SIZE_LIMIT, count: 0, keys: [] },
  }
}

function treeNode(node: FoldedNode, around: string, names: Names): ReportTreeNode {
  const { name, last, bytes, keys, folded } = node
  const key = name === '.' ? '.' : keyIn(around, name)
  const label = name === '.' ? '.' : lastOf(names.key(key))
  const inside = folded > 0 ? around : key
  return {
    name:
      folded === 0
        ? label
        : last === undefined
          ? `${folded} more`
          : `${label}-${lastOf(names.key(keyIn(around, last)))}`,
    bytes,
    keys,
    folded,
    children: node.children.map((child) => treeNode(child, inside, names)),
  }
}

function lastOf(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1)
}

interface SizedKey {
  readonly key: string
  readonly bytes: number
}

/** Adds up values by what they are records of. */
class Kinds implements SizeMeter {
  readonly largest = new Largest()
  oversized = 0
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
    if (bytes > SIZE_LIMIT) this.oversized++
    if (bytes > this.largest.least) this.largest.add(keyIn(dir, name), bytes)
  }

  /** @param bytes - of all, once for each reference */
  rows(bytes: number): ReportRoom['kinds'] {
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

/** Keeps the largest values. */
class Largest {
  readonly keys: SizedKey[] = []
  /** A value must be larger to be kept. */
  least = -1

  add(key: string, bytes: number): void {
    const at = this.keys.findIndex((other) => other.bytes < bytes)
    this.keys.splice(at < 0 ? this.keys.length : at, 0, { key, bytes })
    this.keys.length = Math.min(this.keys.length, LISTED)
    if (this.keys.length === LISTED) this.least = (this.keys.at(-1) as SizedKey).bytes
  }

  above(limit: number): SizedKey[] {
    return this.keys.filter(({ bytes }) => bytes > limit)
  }
}
