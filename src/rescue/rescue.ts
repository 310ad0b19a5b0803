/**
 * The rescue of a content store whose instance is down: it chooses the best root that is left, repairs it, and writes it
 * into a new store, an archive and a report. The old store is only read.
 */
import { mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { stringifyJson } from '../bytes/index.ts'
import {
  type Checkpoint,
  type ContentStore,
  type HashName,
  openStore,
  openStoreWriter,
  recogniseStore,
} from '../content/index.ts'
import { Dump } from '../dump/index.ts'
import { FluxError, throwIfAborted } from '../errors/index.ts'
import {
  type CheckedRoot,
  damagedKey,
  drainedNodes,
  fsck,
  highestJobid,
  JOB_MANAGER_KEY,
  jobManagerState,
  planRepair,
  RepairTree,
  remedyOf,
} from '../inspect/index.ts'
import { namespaceRoots, SnapshotReader } from '../kvs/index.ts'
import { type Choice, chooseRoot } from './choose-root.ts'
import { install } from './install.ts'
import { type JobLosses, jobLosses } from './job-losses.ts'
import { type Copied, copyTree, withChanges } from './new-store.ts'
import type { LostKey, RescueReport } from './report.ts'
import { reportJson } from './report-json.ts'
import { reportLines } from './report-text.ts'
import { writeText } from './write-text.ts'

/** Names in the directory of the results. */
const STORE = 'content.sqlite'
const ARCHIVE = 'kvs.tgz'

/** Lost keys that the report lists. */
const MOST_KEYS = 10_000

/** What to rescue, and where to. */
export interface RescueOptions {
  /** A statedir, a `content.sqlite`, or a `content.files` directory. */
  store: string
  /** A directory for the results: it is made, or must be empty. */
  out: string
  /** Take this root, whatever is wrong below it. */
  root?: string | undefined
  /** Put the new store in the place of the old one. */
  install?: boolean | undefined
  /** Seconds since 1970 (default: now). */
  nowSeconds?: number | undefined
  /** The name of a user for the report. */
  username?: ((userid: number) => string | undefined) | undefined
  /** Called with a line for each step. */
  onStep?: ((line: string) => void) | undefined
  /** Called with each store that is read, to show progress. */
  onStore?: ((store: ContentStore) => void) | undefined
  signal?: AbortSignal | undefined
}

/**
 * Rescue a store.
 *
 * @throws {FluxError} `ENOENT` nothing can be read; `EBUSY` a process holds the store; `ENOTEMPTY` the directory for the
 *   results is not empty; `EINVAL` it lies in the store's directory; or the errno of the file system
 */
export async function rescue(options: RescueOptions): Promise<RescueReport> {
  const { store: path, signal, nowSeconds = Date.now() / 1000, username = () => undefined } = options
  const found = recogniseStore(path)
  const out = resultsDirectory(options.out, found.path)
  if (options.install && found.kind.name !== 'sqlite') {
    throw new FluxError('ENOTSUP', `${path}: --install puts a ${STORE} in the place of another, and this is none`)
  }
  const steps: string[] = []
  const onStep = (line: string) => {
    steps.push(line)
    options.onStep?.(line)
  }
  await using stores = new OpenStores(found.path, options)
  const choice = await chooseRoot(
    { open: () => stores.open(false), salvage: found.kind.salvage && (() => stores.open(true)), onStep, signal },
    options.root,
  )
  const tree = await repaired(choice, signal)
  const checkpoint = await checkpointOf(choice, tree.rootref, nowSeconds)
  const copied = await writeStore(join(out, STORE), tree, checkpoint, signal)
  onStep(`${STORE}: ${copied.blobs} blobs, checked`)
  const keys = await writeArchive(join(out, STORE), join(out, ARCHIVE), nowSeconds, signal)
  onStep(`${ARCHIVE}: ${keys} keys`)
  await choice.store.assertUnchanged()
  const replaced = options.install ? install(realpathSync(found.path), join(out, STORE)) : undefined
  if (replaced !== undefined) onStep(`${found.path}: replaced; the old store is ${replaced}`)
  const report = {
    ...(await reportOf(choice, tree, { signal })),
    store: found.path,
    out,
    time: nowSeconds,
    steps,
    written: checkpoint,
    keys,
    blobs: copied.blobs,
    replaced,
    next: nextCommands(found.path, out, replaced),
  }
  writeText(join(out, 'report.json'), `${stringifyJson(reportJson(report, username), 2)}\n`)
  writeText(join(out, 'report.txt'), `${reportLines(report, username).join('\n')}\n`)
  return report
}

/** The stores that are opened on the way; all are closed at the end. */
class OpenStores implements AsyncDisposable {
  readonly #path: string
  readonly #options: RescueOptions
  readonly #open: ContentStore[] = []

  constructor(path: string, options: RescueOptions) {
    this.#path = path
    this.#options = options
  }

  async open(salvage: boolean): Promise<ContentStore> {
    const store = await openStore(this.#path, { salvage, signal: this.#options.signal })
    this.#open.push(store)
    this.#options.onStore?.(store)
    return store
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#open) await store.close()
  }
}

/** @returns the absolute path of the directory for the results, which is empty */
function resultsDirectory(out: string, store: string): string {
  try {
    mkdirSync(out, { recursive: true, mode: 0o700 })
    const path = realpathSync(out)
    const where = realpathSync(store)
    // The old store must stay as it is, with the directory in which it lies.
    if (path === dirname(where) || `${path}${sep}`.startsWith(`${dirname(where)}${sep}`)) {
      throw new FluxError('EINVAL', `${out}: lies in the directory of the store`, { hint: 'give --out another place' })
    }
    if (readdirSync(path).length === 0) return path
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot use ${out} for the results`)
  }
  throw new FluxError('ENOTEMPTY', `${out}: is not empty`, { hint: 'give --out a directory that is new or empty' })
}

/** A tree that is ready to be written. */
interface Ready {
  /** Has all blobs of the tree. */
  readonly store: ContentStore
  readonly rootref: string
  /** Roots of the namespaces of running jobs. */
  readonly otherRoots: readonly string[]
  readonly lostKeys: readonly LostKey[]
  readonly highest: bigint | undefined
  readonly isJobidRaised: boolean
}

/** Repair the chosen root, and put the highest job id right. */
async function repaired(
  { store, root }: Choice,
  otherRoots: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Ready> {
  const { rootref, damages, unlisted } = root
  if (unlisted)
    throw new FluxError('EOVERFLOW', `${store.name}: too many damaged keys to repair: ${unlisted} beyond those listed`)
  const repair = { jobAware: true, dropDamaged: true }
  const planned = await planRepair(store, rootref, damages, repair)
  const lostKeys = damages.map((damage) => ({
    key: damagedKey(damage),
    kind: damage.kind,
    remedy: remedyOf(damage, repair),
  }))
  const reader = new SnapshotReader({ store, rootref }, { signal })
  const highest = await highestIn(store, [rootref, ...otherRoots], signal)
  const state = await jobManagerState(reader)
  const isJobidRaised =
    highest !== undefined && (state?.maxJobid ?? 0n) < highest && (await highestJobid(reader)) !== highest
  let { tree } = planned
  if (isJobidRaised) {
    tree ??= await RepairTree.open(store, rootref)
    const json = stringifyJson({ version: 1, ...state?.json, max_jobid: highest })
    await tree.put(JOB_MANAGER_KEY.split('.'), { type: 'val', ver: 1, data: Buffer.from(json).toString('base64') })
  }
  const namespaces = await namespaceRoots({ store, rootref }, { signal }).catch(() => [])
  const changed = tree ? await withChanges(store, tree) : { store, rootref }
  return { ...changed, otherRoots: namespaces.map(({ rootref }) => rootref), lostKeys, highest, isJobidRaised }
}
