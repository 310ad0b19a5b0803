/** Trees of resource records from literals. */
import { SnapshotReader } from '../../src/kvs/index.ts'
import { Blobs, MemoryStore, type Tree, valref } from './trees.ts'

/** A reader of a tree with these entries. */
export function readerOf(entries: Record<string, Tree>): SnapshotReader {
  const blobs = new Blobs()
  const rootref = blobs.tree(entries)
  return new SnapshotReader({ store: new MemoryStore(blobs), rootref })
}

/** The value of an eventlog. */
export function eventlog(...events: [time: number, name: string, context: object][]): Tree {
  return valref(
    events.map(([timestamp, name, context]) => `${JSON.stringify({ timestamp, name, context })}\n`).join(''),
  )
}
