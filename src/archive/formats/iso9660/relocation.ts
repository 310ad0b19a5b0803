/**
 * ECMA-119 allows eight levels of directories (6.8.2.1). Rock Ridge allows more by moving a directory of the ninth
 * level into a directory of the root, `rr_moved`. A placeholder with a CL entry takes its place (RRIP 4.1.5).
 */
import { ArchiveError } from '../../archive-error.ts'
import { DIRECTORY, type MemberTree, ROOT } from './tree.ts'

const MAX_LEVEL = 8
/** The level of directories in `rr_moved`. */
const MOVED_LEVEL = 3

/** The kind of the node in the place of a moved directory. */
export const PLACEHOLDER = 3

/** Names by which libarchive recognises the directory of moved directories, in the order in which they are tried. */
const NAMES = ['rr_moved', '.rr_moved']

/** The nodes of the primary hierarchy: those of the tree, followed by those that relocation adds. */
export interface Relocated {
  readonly parent: Int32Array
  readonly kind: Uint8Array
  /** The moved directory of each placeholder. */
  readonly movedFrom: ReadonlyMap<number, number>
  /** The original parent of each moved directory. */
  readonly movedOutOf: ReadonlyMap<number, number>
  /**
   * The directory of moved directories if it was added for them; -1 if there is none, or if it is a member of the
   * archive.
   */
  readonly hidden: number
  /** How often a node was moved, alone or with a directory above it. */
  readonly rank: Uint32Array
}

/**
 * Find the directories that are too deep and move them. This adds nodes to the tree that are not members of the
 * archive.
 *
 * @throws {ArchiveError} `EEXIST` members have taken all names for the directory of moved directories
 */
export function relocate(tree: MemberTree): Relocated {
  const members = tree.count
  const level = new Uint8Array(members)
  level[ROOT] = 1
  const rank = new Uint32Array(members)
  const moved: number[] = []
  // A node's number is greater than its parent's.
  for (let node = 1; node < members; node++) {
    const parent = tree.parent[node] as number
    const own = (level[parent] as number) + 1
    const tooDeep = own > MAX_LEVEL && tree.kind[node] === DIRECTORY
    if (tooDeep) moved.push(node)
    level[node] = tooDeep ? MOVED_LEVEL : own
    rank[node] = (rank[parent] as number) + (tooDeep ? 1 : 0)
  }
  const movedFrom = new Map<number, number>()
  const movedOutOf = new Map<number, number>()
  let hidden = -1
  if (moved.length > 0) {
    const into = movedDirectory(tree)
    if (into >= members) hidden = into
    for (const node of moved) {
      const parent = tree.parent[node] as number
      movedFrom.set(tree.double(parent, PLACEHOLDER, node), node)
      movedOutOf.set(node, parent)
    }
    const parent = tree.parent.slice(0, tree.count)
    for (const node of moved) parent[node] = into
    return { parent, kind: tree.kind, movedFrom, movedOutOf, hidden, rank }
  }
  return { parent: tree.parent.slice(0, members), kind: tree.kind, movedFrom, movedOutOf, hidden, rank }
}

/**
 * The order of the directories in the image. A directory comes after its parent. libarchive reads directories in the
 * order of the image, and needs one more rule: if a directory was moved out of a moved directory, libarchive must meet
 * the placeholder inside the moved directory before the placeholder of the moved directory itself. So directories that
 * were moved most often come first.
 *
 * @param directories - all directories, the root first, each after its parent
 */
export function readingOrder(directories: Int32Array, { parent, movedOutOf, rank }: Relocated): Int32Array {
  const [moved] = movedOutOf.keys()
  if (moved === undefined) return directories
  const into = parent[moved] as number
  const place = (node: number) => (node === ROOT ? 2 ** 33 : node === into ? 2 ** 32 : (rank[node] as number))
  return directories.slice().sort((a, b) => place(b) - place(a))
}

/**
 * A directory of the archive with the right name is used: moved directories are marked, so readers do not show them
 * there.
 */
function movedDirectory(tree: MemberTree): number {
  for (const name of NAMES) {
    const found = tree.find(ROOT, name)
    if (found < 0) return tree.directory(ROOT, name)
    if (tree.kind[found] === DIRECTORY) return found
  }
  throw new ArchiveError(
    'EEXIST',
    { format: 'iso9660', pathname: NAMES[0] },
    'an image with directories this deep needs a directory of that name, which is a member',
  )
}
