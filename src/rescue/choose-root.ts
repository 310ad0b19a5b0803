/**
 * Chooses the root to rescue: the newest checkpoint that is whole, or a whole root with later events; else the newest root
 * that is whole; else the newest root that can be read at all. A newer root that is damaged goes before a whole one if it
 * keeps more keys. A database is first read by SQLite. As soon as anything is missing, its pages are read as
 * well, since SQLite does not find all that is in a damaged file.
 */
import type { Checkpoint, ContentStore } from '../content/index.ts'
import { countText, FluxError, timeText } from '../errors/index.ts'
import { type CheckedRoot, type FoundRoot, findRoots, fsck } from '../inspect/index.ts'

/** A root, the store that holds it, and what is wrong below it. */
export interface Choice {
  readonly store: ContentStore
  readonly isSalvaged: boolean
  readonly root: CheckedRoot
  /** The newest roots of the primary namespace, the newest first. */
  readonly roots: readonly FoundRoot[]
}

/** The stores to choose from. */
export interface Sources {
  /** Opens the store in the usual way. */
  open(): Promise<ContentStore>
  /** Opens the pages of the database; undefined for a store that is no database. */
  readonly salvage: (() => Promise<ContentStore>) | undefined
  /** Called with a line for each step. */
  onStep(line: string): void
  readonly signal: AbortSignal | undefined
}

/**
 * Walk down the ladder.
 *
 * @param rootref - take this root, whatever is wrong below it
 * @throws {FluxError} `ENOENT` no root can be read; `EBUSY` a broker holds the store
 */
export async function chooseRoot(sources: Sources, rootref: string | undefined): Promise<Choice> {
  const { salvage, onStep } = sources
  const usual = await openUsual(sources)
  if (usual !== undefined) {
    const ladder = new Ladder(usual, false, sources)
    const choice = await ladder.choose(rootref, salvage === undefined)
    if (choice !== undefined) return choice
  }
  if (salvage === undefined) throw new FluxError('ENOENT', `${usual?.name}: no root in it can be read`)
  const pages = await salvage()
  onStep(`${pages.name}: reading its pages without SQLite, which finds more`)
  const choice = await new Ladder(pages, true, sources).choose(rootref, true)
  if (choice !== undefined) return choice
  throw new FluxError('ENOENT', `${pages.name}: no ${rootref === undefined ? 'root' : rootref} in what is left of it`, {
    hint: `content roots --salvage --all --store ${pages.name} lists directories that are left; --root takes one`,
  })
}

/** @returns undefined when SQLite refuses the database */
async function openUsual({ open, salvage, onStep }: Sources): Promise<ContentStore | undefined> {
  try {
    return await open()
  } catch (error) {
    if (salvage === undefined || !(error instanceof FluxError) || !REFUSALS.has(error.code)) throw error
    onStep(error.message)
    return undefined
  }
}

/** Errors of a database that is damaged, or is none to SQLite. */
const REFUSALS: ReadonlySet<string> = new Set(['EBADMSG', 'EINVAL', 'EIO', 'EPROTO'])

/** Roots that are tried before the search is given up. */
const MOST_ROOTS = 100

class Ladder {
  readonly #store: ContentStore
  readonly #isSalvaged: boolean
  readonly #sources: Sources
  /** The checkpoints, newest first, as far as they have been checked. */
  #checkpoints: readonly CheckedRoot[] = []
  #found: FoundRoot[] | undefined

  constructor(store: ContentStore, isSalvaged: boolean, sources: Sources) {
    this.#store = store
    this.#isSalvaged = isSalvaged
    this.#sources = sources
  }

  /**
   * @param isLast - there is nothing else to try: take an older checkpoint, or a damaged root
   * @returns undefined when there is nothing to take
   */
  async choose(rootref: string | undefined, isLast: boolean): Promise<Choice | undefined> {
    if (rootref !== undefined) {
      const named = await this.#check(rootref)
      this.#tell(`root ${rootref}`, named)
      return isReadable(named) && (isLast || named.errors === 0) ? await this.#choice(named) : undefined
    }
    await this.#checkCheckpoints()
    const whole = await this.#whole(isLast)
    if (whole === undefined) return isLast ? this.#damagedRoot() : undefined
    const richer = await this.#richer(whole)
    if (richer === undefined) return this.#choice(whole)
    // It may be whole in the pages.
    return isLast ? this.#choice(richer) : undefined
  }

  /** The first whole root of the ladder. */
  async #whole(isLast: boolean): Promise<CheckedRoot | undefined> {
    const whole = this.#checkpoints.find(({ errors }) => errors === 0)
    // What an older checkpoint has lacks all that came later: first look whether the newest can be had.
    if (whole && (isLast || whole.checkpointIndex === 0)) return (await this.#later(whole)) ?? whole
    return isLast || this.#checkpoints.length === 0 ? this.#wholeRoot() : undefined
  }

  /**
   * A newer root that keeps more keys than a whole one, in spite of its damage: two lost values are a smaller loss than all
   * jobs since.
   */
  async #richer(whole: CheckedRoot): Promise<CheckedRoot | undefined> {
    const roots = await this.#roots()
    const own = roots.find(({ rootref }) => rootref === whole.rootref)
    const { place = -1, newest = 0 } = own ?? {}
    const kept = whole.values + whole.symlinks
    const found = roots.find(
      (root) => root.place > place && (root.newest ?? 0) >= newest && root.lost > 0 && root.keys - root.lost > kept,
    )
    if (found === undefined) return undefined
    const checked = await this.#check(found.rootref)
    this.#tell(`root ${found.rootref}, which keeps more keys all the same`, checked)
    // The checkpoint of the same root tells its time.
    return this.#checkpoints.find(({ rootref }) => rootref === found.rootref) ?? checked
  }

  async #checkCheckpoints(): Promise<void> {
    const { signal, onStep } = this.#sources
    try {
      const { checked } = await fsck(this.#store, { all: true, signal })
      this.#checkpoints = checked
      for (const root of checked) this.#tell(`checkpoint ${root.checkpointIndex}${timeOf(root.checkpoint)}`, root)
    } catch (error) {
      if (!(error instanceof FluxError) || error.code === 'EINTR') throw error
      onStep(error.message)
    }
  }

  /** The newest root of the primary namespace that is whole, whether or not a checkpoint names it. */
  async #wholeRoot(): Promise<CheckedRoot | undefined> {
    const [whole] = await this.#wholeRoots()
    if (whole === undefined) return undefined
    const checked = await this.#check(whole.rootref)
    this.#tell(`root ${whole.rootref}, which no checkpoint names`, checked)
    return checked.errors === 0 ? checked : undefined
  }

  /**
   * A whole root with events after the time of a checkpoint. An instance that is shut down writes a checkpoint at the end, so
   * this one was killed: it had written its last checkpoint when it was started, without the jobs that came then.
   */
  async #later({ checkpoint }: CheckedRoot): Promise<CheckedRoot | undefined> {
    const { timestamp = 0 } = checkpoint ?? {}
    const found = (await this.#wholeRoots()).find(
      ({ newest, checkpointIndex }) => checkpointIndex === undefined && (newest ?? 0) > timestamp,
    )
    if (found === undefined) return undefined
    const checked = await this.#check(found.rootref)
    const time = timeText(found.newest as number, { offset: true })
    this.#tell(`root ${found.rootref}, which no checkpoint names, with events until ${time}`, checked)
    return checked.errors === 0 ? checked : undefined
  }

  async #damagedRoot(): Promise<Choice | undefined> {
    const checkpoint = this.#checkpoints.find(isReadable)
    if (checkpoint) return this.#choice(checkpoint)
    for (const { rootref } of await this.#roots()) {
      const checked = await this.#check(rootref)
      this.#tell(`root ${rootref}, which no checkpoint names`, checked)
      if (isReadable(checked)) return this.#choice(checked)
    }
    return undefined
  }

  async #check(rootref: string): Promise<CheckedRoot> {
    const { checked } = await fsck(this.#store, { rootref, signal: this.#sources.signal })
    return checked[0] as CheckedRoot
  }

  /** The roots of the primary namespace, the newest first. */
  async #roots(): Promise<readonly FoundRoot[]> {
    if (this.#found === undefined) {
      this.#found = await this.#find(false)
      const count =
        this.#found.length === MOST_ROOTS ? `${MOST_ROOTS} roots or more` : countText(this.#found.length, 'root')
      this.#sources.onStep(`${this.#store.name}: ${count} of the primary namespace, named by a checkpoint or not`)
    }
    return this.#found
  }

  /** Those that are whole. Where the newest ones are damaged, the others are looked at too. */
  async #wholeRoots(): Promise<readonly FoundRoot[]> {
    const roots = await this.#roots()
    const whole = roots.filter(({ lost }) => lost === 0)
    return whole.length > 0 || roots.length < MOST_ROOTS ? whole : this.#find(true)
  }

  async #find(whole: boolean): Promise<FoundRoot[]> {
    const { signal } = this.#sources
    const options = { kinds: ['primary', 'other'] as const, most: MOST_ROOTS, whole, onFault: () => {}, signal }
    const { roots, counts, checkpoints } = await findRoots(this.#store, options)
    // A directory that has lost its parent looks like one of the others. So these are for a store in which nothing is known.
    const takesOthers = counts.primary === 0 && checkpoints.length === 0
    return roots.filter(({ kind }) => kind === 'primary' || takesOthers)
  }

  #tell(what: string, { errors, damages }: CheckedRoot): void {
    const isLost = damages.some(({ components }) => components.length === 0)
    const state = errors === 0 ? 'whole' : isLost ? 'cannot be read' : `${countText(errors, 'damaged key')}`
    this.#sources.onStep(`${what}: ${state}`)
  }

  async #choice(root: CheckedRoot): Promise<Choice> {
    return { store: this.#store, isSalvaged: this.#isSalvaged, root, roots: await this.#roots() }
  }
}

function timeOf(checkpoint: Checkpoint | undefined): string {
  return checkpoint ? ` of ${timeText(checkpoint.timestamp, { offset: true })}` : ''
}

/** True when the directory of the root itself can be read. */
function isReadable({ damages, errors }: CheckedRoot): boolean {
  return errors === 0 || !damages.some(({ components }) => components.length === 0)
}
