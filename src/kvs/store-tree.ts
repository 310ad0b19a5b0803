import { dirBlob } from './treeobj-encode.ts'

/** Directory blobs stored at a time. */
const STORE_BATCH = 1024

/** How {@link storeTree} reads a tree of directories in memory. */
export interface TreeToStore<Dir> {
  /** The subdirectories of a directory. */
  childrenOf(dir: Dir): Iterable<Dir>
  /** The text of the tree object of each name. Called when all subdirectories have been stored. */
  textsOf(dir: Dir): ReadonlyMap<string, string>
  /** Called when a directory has been stored. */
  onStored(dir: Dir, blobref: string): void
}

/**
 * Store directories from the bottom up, one level at a time, as each names the blobs of its subdirectories.
 *
 * @param store - stores blobs, and returns their blobrefs in order
 */
export async function storeTree<Dir>(
  root: Dir,
  tree: TreeToStore<Dir>,
  store: (blobs: readonly Uint8Array[]) => Promise<readonly string[]>,
): Promise<void> {
  for (const level of levelsOf(root, tree).reverse()) {
    for (let at = 0; at < level.length; at += STORE_BATCH) {
      const dirs = level.slice(at, at + STORE_BATCH)
      const blobrefs = await store(dirs.map((dir) => dirBlob(tree.textsOf(dir))))
      for (const [i, dir] of dirs.entries()) tree.onStored(dir, blobrefs[i] as string)
    }
  }
}

/** All directories by their depth, the root first. */
function levelsOf<Dir>(root: Dir, { childrenOf }: TreeToStore<Dir>): Dir[][] {
  const levels: Dir[][] = []
  for (let level = [root]; level.length > 0; ) {
    levels.push(level)
    const next: Dir[] = []
    for (const dir of level) for (const child of childrenOf(dir)) next.push(child)
    level = next
  }
  return levels
}
