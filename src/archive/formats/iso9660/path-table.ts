/**
 * Path tables: the directories of a hierarchy once more, in one place, each with the number of its parent (ECMA-119 9.4). That
 * number has 16 bits, so there is no saying what lies in a directory whose own number is above 65,535. mkisofs and libarchive
 * refuse such trees, or write a wrong parent. Here the table ends before the first record that it cannot say. Directories
 * are numbered level by level, so what is there is right, and holds all directories of the upper levels. Readers of today
 * go by the directories themselves; a reader that goes by the path table alone would not find those that are left out.
 */
import type { Directories } from './directories.ts'
import { ROOT } from './tree.ts'

const MAX_PARENT = 65_535
/** Length of the identifier, of the extended attribute record, position, parent. */
const FIXED_BYTES = 8

/** Number of bytes, the same in both byte orders. */
export function pathTableBytes({ hierarchy }: Directories): number {
  let bytes = 0
  forEachRecord(hierarchy, (node) => {
    const length = node === ROOT ? 1 : hierarchy.identifiers.length(node)
    bytes += FIXED_BYTES + length + (length % 2)
  })
  return bytes
}

/** @param order - L: little-endian; M: big-endian */
export function pathTable(directories: Directories, order: 'L' | 'M', bytes: number): Buffer {
  const { hierarchy, sector } = directories
  const table = Buffer.alloc(bytes)
  let at = 0
  forEachRecord(hierarchy, (node, parent) => {
    const length = node === ROOT ? 1 : hierarchy.identifiers.put(node, table, at + FIXED_BYTES)
    table[at] = length
    if (order === 'L') {
      table.writeUInt32LE(sector[node] as number, at + 2)
      table.writeUInt16LE(parent, at + 6)
    } else {
      table.writeUInt32BE(sector[node] as number, at + 2)
      table.writeUInt16BE(parent, at + 6)
    }
    at += FIXED_BYTES + length + (length % 2)
  })
  return table
}

function forEachRecord(
  { directories, parent }: Directories['hierarchy'],
  visit: (node: number, parentNumber: number) => void,
): void {
  // Directories come by the number of their parent, so that counts up beside them.
  let parentNumber = 1
  for (const node of directories) {
    while (directories[parentNumber - 1] !== parent[node]) parentNumber++
    if (parentNumber > MAX_PARENT) return
    visit(node, parentNumber)
  }
}
