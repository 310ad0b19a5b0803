/** What takes the room in a snapshot. */
import { type CheckedTree, checkedSums, type FoldedNode, foldedTree, RecordKinds } from '../inspect/index.ts'
import { keyIn, type Snapshot } from '../kvs/index.ts'
import type { Faults } from './faults.ts'
import type { Names } from './names.ts'
import type { ReportHealth, ReportRoom, ReportTreeNode } from './report-data.ts'

/** Keys in a list. */
const LISTED = 20

/** `flux restore --size-limit=100M`, as the rc script of Flux calls it. In bytes. */
const SIZE_LIMIT = 100 << 20

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
  const meter = new RoomMeter()
  const { sums, checked } = await checkedSums(snapshot, { depth: 0, meter, rootrefs, onFault, signal })
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
      kinds: meter.rows(bytes),
      largest: meter.largest.keys.map(named),
    },
    oversized: { limit: SIZE_LIMIT, count: meter.oversized, keys: meter.largest.above(SIZE_LIMIT).map(named) },
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

/** Adds up kinds of records, and keeps the largest values. */
class RoomMeter extends RecordKinds {
  readonly largest = new Largest()
  oversized = 0

  override onValue(dir: string, name: string, bytes: number, isInline: boolean): void {
    super.onValue(dir, name, bytes, isInline)
    if (bytes > SIZE_LIMIT) this.oversized++
    if (bytes > this.largest.least) this.largest.add(keyIn(dir, name), bytes)
  }
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
