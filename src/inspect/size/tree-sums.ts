/**
 * The bytes of all blobs below each directory, of directories and of values. They are counted in two ways: once for
 * each reference, and once for each blob. If the store knows the sizes of its blobs, only directories are loaded.
 */
import {
  type DirObj,
  type Dirref,
  dirBlobref,
  isDir,
  plainKey,
  SnapshotReader,
  type SnapshotRoot,
  TreeScan,
} from '../../kvs/index.ts'
import { faultReporter } from '../inspect-options.ts'
import { SizeAdder } from './size-adder.ts'
import type { TreeSums, TreeSumsOptions } from './sums.ts'

/**
 * Blobs that are loaded in one batch. It is fixed, so that which reference is seen first does not depend on the store.
 */
const BATCH = 512

/**
 * Add up the sizes below a directory of a snapshot. Each directory blob is read once, however many keys lead to it;
 * only those down to `depth` are read once for each key. Sums stop at 2^53 - 1.
 *
 * @throws {TreeError} see {@link InspectOptions.onFault}
 * @throws {FluxError} `ENOENT` the key does not exist; `ENOTDIR` it is not a directory; `EOVERFLOW` more than ten
 *   million directories down to `depth`
 */
export async function treeSums(snapshot: SnapshotRoot, options: TreeSumsOptions): Promise<TreeSums> {
  const { store } = snapshot
  const { signal } = options
  const key = plainKey(options.key ?? '.')
  const root = await dirAt(new SnapshotReader(snapshot, { signal }), key)
  const adder = new SizeAdder(store, faultReporter(options), options)
  const blobref = dirBlobref(root)
  const top = adder.placeOf(undefined, key, blobref)
  await new TreeScan(store, adder, { most: BATCH, batches: 1, signal }).run([[root, top]])
  return adder.sums()
}

/** The directory of a key, as an object that can be scanned; links to it are followed. */
async function dirAt(reader: SnapshotReader, key: string): Promise<DirObj | Dirref> {
  const obj = await reader.lookup(key, 'treeobj')
  // This lookup follows a link, and throws the usual error for anything that is not a directory.
  return isDir(obj) ? obj : reader.lookup(key, 'dir')
}
