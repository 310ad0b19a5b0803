/**
 * Path tables list the directories of a hierarchy, each with the number of its parent (ECMA-119 9.4). That number has
 * 16 bits, so a directory whose parent has a number above 65,535 cannot be listed. mkisofs and libarchive refuse such
 * trees, or write a wrong parent. Here the table ends before the first directory that it cannot list. Directories are
 * numbered level by level, so the table is correct as far as it goes, and has all directories of the upper levels.
 * Current readers use the directories themselves; a reader that uses only the path table would not find the rest.
 */
import type { Directories } from './directories.ts'
import { ROOT } from './tree.ts'

const MAX_PARENT = 65_535
/** Bytes of a record before the identifier: its length, length of the extended attribute record, position, parent. */
const FIXED_BYTES = 8

/** Bytes of the path table, the same in both byte orders. */
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
  // Directories are sorted by the number of their parent, so this number only counts up.
  let parentNumber = 1
  for (const node of directories) {
    while (directories[parentNumber - 1] !== parent[node]) parentNumber++
    if (parentNumber > MAX_PARENT) return
    visit(node, parentNumber)
  }
}
