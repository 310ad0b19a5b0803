/**
 * ECMA-119 allows eight levels of directories (6.8.2.1). Rock Ridge goes deeper by moving what would be on the ninth into a
 * directory of the root, `rr_moved`; a placeholder with a CL entry stands where it was (RRIP 4.1.5).
 */
import { ArchiveError } from '../../archive-error.ts'
import { DIRECTORY, type MemberTree, ROOT } from './tree.ts'

const MAX_LEVEL = 8
/** The level of what is in `rr_moved`. */
const MOVED_LEVEL = 3

/** The kind of a node that stands where a directory was moved away. */
export const PLACEHOLDER = 3

/** What libarchive, which needs to know the directory, takes for it; in this order. */
const NAMES = ['rr_moved', '.rr_moved']

/** The nodes of the primary hierarchy: those of the tree, and behind them those that relocation takes. */
export interface Relocated {
  readonly parent: Int32Array
  readonly kind: Uint8Array
  /** For a placeholder the directory that was moved; nothing for others. */
  readonly movedFrom: ReadonlyMap<number, number>
  /** For a directory that was moved the directory it belongs to. */
  readonly movedOutOf: ReadonlyMap<number, number>
  /** The directory of those moved, if it is there for them alone; -1 if there is none, or if it is a member's. */
  readonly hidden: number
  /** How often a node was moved, with those it is in. */
  readonly rank: Uint32Array
}

/**
 * Find the directories that are too deep and move them. The tree gets nodes that are no members: hand it what came in
 * before to know them apart.
 *
 * @throws {ArchiveError} `EEXIST` members have all the names that a directory for those moved can have
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
 * The order in which the directories come in the image: any in which a directory comes after its parent, but libarchive,
 * which reads them as they come, must have been where a directory was moved out of after it has been wherever one was
 * moved out of that directory itself. So those moved most often come first.
 *
 * @param directories - the root first, each after its parent
 */
export function readingOrder(directories: Int32Array, { parent, movedOutOf, rank }: Relocated): Int32Array {
  const [moved] = movedOutOf.keys()
  if (moved === undefined) return directories
  const into = parent[moved] as number
  const place = (node: number) => (node === ROOT ? 2 ** 33 : node === into ? 2 ** 32 : (rank[node] as number))
  return directories.slice().sort((a, b) => place(b) - place(a))
}

/** A member's directory of the right name serves: what is moved into it is marked, and readers do not show it there. */
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
