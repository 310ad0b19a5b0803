/**
 * The rescue of a content store whose instance is down: it chooses the best root that is left, repairs it, and writes it
 * into a new store, an archive and a report. The old store is only read.
 */
import { mkdirSync, readdirSync, realpathSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { stringifyJson } from '../bytes/index.ts'
import { type Checkpoint, type ContentStore, openStore, openStoreWriter, recogniseStore } from '../content/index.ts'
import { Dump } from '../dump/index.ts'
import { countText, FluxError } from '../errors/index.ts'
import { followLinks } from '../files/index.ts'
import { drainedNodes, type FsckResult, fsck } from '../inspect/index.ts'
import { SnapshotReader } from '../kvs/index.ts'
import { type Choice, chooseRoot, isReadable } from './choose-root.ts'
import { install, planInstall } from './install.ts'
import { jobLosses } from './job-losses.ts'
import { type Copied, copyTree } from './new-store.ts'
import { nextCommands } from './next-commands.ts'
import { type Ready, readyTree } from './ready-tree.ts'
import type { RescueReport } from './report.ts'
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
  /** Called with a one-line warning for each problem of the archive, and its kind. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  /** Called with each store that is read, to show progress. */
  onStore?: ((store: ContentStore) => void) | undefined
  signal?: AbortSignal | undefined
}

/**
 * Rescue a store.
 *
 * @throws {FluxError} `ENOENT` nothing can be read; `EBUSY` a process holds the store; `EEXIST` the directory for the
 *   results is not empty; `EINVAL` it lies in the store's directory; or the errno of the file system
 */
export async function rescue(options: RescueOptions): Promise<RescueReport> {
  const found = recogniseStore(options.store, { salvage: true })
  const installing = options.install ? await planInstall(found) : undefined
  const { out, made } = await resultsDirectory(options.out, found.path)
  try {
    return await rescueTo(out, found, installing, options)
  } catch (error) {
    removeEmpty(out, made)
    throw error
  }
}

async function rescueTo(
  out: string,
  found: ReturnType<typeof recogniseStore>,
  installing: Awaited<ReturnType<typeof planInstall>> | undefined,
  options: RescueOptions,
): Promise<RescueReport> {
  const { signal, nowSeconds = Date.now() / 1000, username = () => undefined, onWarning } = options
  const steps: string[] = []
  const onStep = (line: string) => {
    steps.push(line)
    options.onStep?.(line)
  }
  await using stores = new OpenStores(found.path, options)
  const salvage = found.kind.openToSalvage && (() => stores.open(true))
  const choice = await chooseRoot({ open: () => stores.open(false), salvage, onStep, signal }, options.root)
  const tree = await readyTree(choice, signal)
  const database = join(out, STORE)
  const written = await checkpointOf(choice, tree, nowSeconds)
  const { blobs, keys: counted } = await writeStore(database, tree, written, signal)
  onStep(`${STORE}: ${countText(blobs, 'blob')}, all of them read back`)
  const archive = await writeArchive(database, join(out, ARCHIVE), leftDamage(tree) > 0, onWarning, signal)
  const { keys = counted } = archive
  onStep(`${ARCHIVE}: ${archive.problem ?? countText(keys, 'key')}`)
  const facts = await factsOf(choice, tree, database, signal)
  await choice.store.assertUnchanged()
  const replaced = installing && (await install(installing, database))
  if (replaced !== undefined) onStep(`${found.path}: replaced by the new store; the old one is ${replaced}`)
  const { rootref, checkpointIndex, checkpoint, errors } = choice.root
  const report: RescueReport = {
    store: resolve(found.path),
    out,
    time: nowSeconds,
    steps,
    chosen: {
      rootref,
      checkpointIndex,
      timestamp: checkpoint?.timestamp,
      isWhole: errors === 0,
      isSalvaged: choice.isSalvaged,
    },
    written,
    keys,
    blobs,
    ...facts,
    problems: [...(archive.problem === undefined ? [] : [`${ARCHIVE}: ${archive.problem}`]), ...facts.problems],
    replaced,
    next: nextCommands({ store: resolve(found.path), out, replaced, drained: facts.drained }),
  }
  writeText(join(out, 'report.json'), `${stringifyJson(reportJson(report, username), 2)}\n`)
  writeText(join(out, 'report.txt'), `${reportLines(report, username).join('\n')}\n`)
  return report
}

/** What the report tells beside the root. */
async function factsOf(choice: Choice, tree: Ready, database: string, signal: AbortSignal | undefined) {
  const { store, root } = choice
  const { lostKeys, highestJobid, isJobidRaised, newer } = tree
  const problems: string[] = []
  // The old tree tells which jobs are damaged: in the new one, what is left of them has other keys.
  const losses = await jobLosses({ store, rootref: root.rootref }, lostKeys, signal)
  await using rescued = await openStore(database, { signal })
  const reader = new SnapshotReader({ store: rescued, rootref: tree.rootref }, { signal })
  const drained = await drainedNodes(reader, { onFault: ({ message }) => problems.push(message), signal })
  return {
    ...losses,
    lostKeys: lostKeys.slice(0, MOST_KEYS),
    lostKeyCount: lostKeys.length,
    lostDirCount: lostKeys.filter(({ kind }) => kind.endsWith('-dir')).length,
    drained,
    highestJobid,
    isJobidRaised,
    newer,
    problems,
  }
}

/**
 * The checkpoint of the new store: that of the old one if its root stays the same, or else a newer one, so that everything
 * that compares sequence numbers goes on.
 */
async function checkpointOf({ store, root }: Choice, tree: Ready, nowSeconds: number): Promise<Checkpoint> {
  const { checkpoint } = root
  if (checkpoint && tree.rootref === checkpoint.rootref) return checkpoint
  const newest = await store.checkpoints().then(
    (checkpoints) => Math.max(...checkpoints.map(({ sequence }) => sequence)),
    () => 0,
  )
  return { rootref: tree.rootref, sequence: newest + 1, timestamp: nowSeconds }
}

/** How many keys keep their damage: tree objects that make no sense, though no blob is missing. */
function leftDamage({ lostKeys }: Ready): number {
  return lostKeys.filter(({ remedy }) => remedy === 'none').length
}

/** Write the new store, and check it. @throws {FluxError} `EIO` it is not whole; it is removed then */
async function writeStore(
  path: string,
  ready: Ready,
  checkpoint: Checkpoint,
  signal: AbortSignal | undefined,
): Promise<Copied & { keys: number }> {
  const { store, rootref, otherRoots } = ready
  let copied: Copied
  {
    await using writer = await openStoreWriter(path, { hash: store.hash })
    copied = await copyTree(store, writer, checkpoint, otherRoots, signal)
  }
  const {
    errors,
    checked: [root],
  } = await checked(path, signal)
  if (root && isReadable(root) && errors <= leftDamage(ready)) return { ...copied, keys: root.values + root.symlinks }
  rmSync(path)
  throw new FluxError('EIO', `${path}: ${rootref} is not whole in it: ${countText(errors, 'damaged key')}`, {
    hint: 'the old store is unchanged; look whether the disk is full or fails',
  })
}

async function checked(path: string, signal: AbortSignal | undefined): Promise<FsckResult> {
  await using written = await openStore(path, { signal })
  return await fsck(written, { signal })
}

/** Errors of a dump that leave no archive: there are too many keys, too many levels, or a name is too long for it. */
const BEYOND_DUMP: ReadonlySet<string> = new Set(['EOVERFLOW', 'ENAMETOOLONG'])

/**
 * Dump the new store. What is beyond the limits of a dump leaves no archive: the new store has it all the same, and the
 * report must be written.
 *
 * @param isDamaged - leave out keys that cannot be read
 * @returns how many keys the archive has, and why there is none, or not all
 */
async function writeArchive(
  database: string,
  outfile: string,
  isDamaged: boolean,
  onWarning: RescueOptions['onWarning'],
  signal: AbortSignal | undefined,
): Promise<{ keys?: number; problem?: string }> {
  await using store = await openStore(database, { signal })
  const dump = new Dump({ store, outfile, ignoreFailedRead: isDamaged, onWarning, signal })
  try {
    const { keys, skipped } = await dump.run()
    return skipped === 0 ? { keys } : { keys, problem: `without ${countText(skipped, 'key')} that cannot be read` }
  } catch (error) {
    if (!(error instanceof FluxError) || !BEYOND_DUMP.has(error.code)) throw error
    const what = `not written: ${error.message}`
    if (error.code !== 'EOVERFLOW') return { problem: what }
    return { problem: `${what}; dump the new store with a larger limit (--max-keys, --max-depth)` }
  }
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

/** Make a directory, with those above it. @returns the topmost that was made; undefined if it was there */
function makeDirectory(path: string): string | undefined {
  try {
    return mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch {
    // On a read-only file system, mkdir of Node.js says ENOENT when it is to make those above too.
    mkdirSync(path, { mode: 0o700 })
    return path
  }
}

/** Remove a directory in which nothing was written, and those above it up to the topmost that was made. */
function removeEmpty(dir: string, made: string | undefined): void {
  if (made === undefined) return
  try {
    for (let at = dir; `${at}${sep}`.startsWith(`${made}${sep}`); at = dirname(at)) rmdirSync(at)
  } catch {
    // What was written stays: each file in it is whole.
  }
}

/** @returns the absolute path of the directory for the results, which is empty, and of the topmost that was made */
async function resultsDirectory(out: string, store: string): Promise<{ out: string; made: string | undefined }> {
  let path = ''
  let made: string | undefined
  try {
    made = makeDirectory(out)
    path = realpathSync(out)
    made &&= realpathSync(made)
    await followLinks(out)
    const where = realpathSync(store)
    // The old store must stay as it is, with the directory in which it lies.
    if (path === dirname(where) || `${path}${sep}`.startsWith(`${dirname(where)}${sep}`)) {
      throw new FluxError('EINVAL', `${out}: lies in the directory of the store`, { hint: 'give --out another place' })
    }
    if (readdirSync(path).length === 0) return { out: path, made }
  } catch (error) {
    removeEmpty(path, made)
    throw FluxError.fromSystem(error, `cannot use ${out} for the results`, { hint: 'give --out another place' })
  }
  throw new FluxError('EEXIST', `${out}: is not empty`, { hint: 'give --out a directory that is new or empty' })
}
