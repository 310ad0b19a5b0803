import { Flags, type Interfaces } from '@oclif/core'
import type { ContentStore, KvsService } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import {
  asTreeObj,
  type Dirref,
  dirBlobref,
  type KvsReader,
  PRIMARY_NAMESPACE,
  type RootChoice,
  resolveRoot,
  ServiceReader,
  type Snapshot,
  SnapshotReader,
  type TreeObj,
} from '../kvs/index.ts'
import { complaintFlags } from './complaints.ts'
import { FluxCommand } from './flux-command.ts'
import { interruptible } from './signals.ts'
import { namesRoot, openSource, type RootFlags, rootChoice, type SourceChoice } from './source-choice.ts'
import { rootFlags, sourceFlags } from './source-flags.ts'
import { UsageError } from './usage-error.ts'

/** The directory that keys start from, for commands that take one. */
export const atFlag = {
  at: Flags.string({
    char: 'a',
    summary: 'start from this directory, an RFC 11 dirref object, e.g. of kvs getroot',
    helpValue: 'TREEOBJ',
    helpGroup: 'SNAPSHOT',
  }),
}

/** Flags of a {@link SourceCommand}, as its `parse` gives them. */
export type SourceCommandFlags = Interfaces.InferredFlags<(typeof SourceCommand)['baseFlags']>

/**
 * A command over any source: a live instance, a content store on disk, or an archive. It has the flags that name one, and
 * which root of it; they are in `this.parse(…).flags` beside its own.
 *
 * ```ts
 * export default class Count extends SourceCommand {
 *   async run() {
 *     const { flags } = await this.parse(Count)
 *     return this.withSource(flags, async (source) => {
 *       const reader = await source.reader()
 *       const { data } = await reader.lookup('.', 'dir')
 *       this.log(`${Object.keys(data).length} keys`)
 *     })
 *   }
 * }
 * ```
 */
export abstract class SourceCommand extends FluxCommand {
  static override baseFlags = { ...FluxCommand.baseFlags, ...complaintFlags, ...sourceFlags, ...rootFlags }

  /**
   * Work on what the flags name. It is opened when it is first asked for, and closed in the end, whatever happens. The
   * first signal aborts `source.signal`.
   *
   * @throws {UsageError} flags that do not go together; {FluxError} it cannot be opened; {InterruptedError} by a signal
   */
  protected async withSource<T>(flags: SourceChoice & RootFlags, work: (source: Source) => Promise<T>): Promise<T> {
    const choice = rootChoice(flags)
    return interruptible(async (signal) => {
      await using source = new Source({ ...flags, signal, onWarning: this.complain, progress: this.progress() }, choice)
      const result = await work(source)
      await source.assertUnchanged()
      return result
    })
  }
}

/** What the flags of a {@link SourceCommand} name. */
export class Source implements AsyncDisposable {
  /** Aborted when the command is interrupted. */
  readonly signal: AbortSignal
  /** What the flags say of the root. */
  readonly choice: RootChoice
  readonly #flags: SourceChoice & { signal: AbortSignal }
  #store: Promise<ContentStore> | undefined
  #snapshot: Promise<Snapshot> | undefined

  constructor(flags: SourceChoice & { signal: AbortSignal }, choice: RootChoice) {
    this.signal = flags.signal
    this.choice = choice
    this.#flags = flags
  }

  /** The content store. @throws {FluxError} it cannot be opened */
  store(): Promise<ContentStore> {
    this.#store ??= openSource(this.#flags)
    return this.#store
  }

  /** Say that all of the store is going to be read, or nearly, so that it can be shown how much of it has been. */
  readsAll(): void {
    if (this.#flags.progress) this.#flags.progress.isWhole = true
  }

  /** The root that is meant, and what is known of it. @throws {FluxError} as {@link resolveRoot} */
  snapshot(): Promise<Snapshot> {
    this.#snapshot ??= this.store().then((store) => resolveRoot(store, this.choice))
    return this.#snapshot
  }

  /** The namespace that is meant. */
  get namespace(): string {
    return this.choice.namespace ?? PRIMARY_NAMESPACE
  }

  /**
   * True for a live instance of which no checkpoint or root is named: then its KVS service answers, which asks for no more
   * rights than `flux kvs` does, and things may change while one looks.
   */
  get isLive(): boolean {
    return this.#flags.store === undefined && this.#flags.archive === undefined && !namesRoot(this.choice)
  }

  /**
   * Answers keys: out of the snapshot; or, for a live instance, its KVS service.
   *
   * @param at - the tree object of a directory to start from instead of the root, as text
   * @throws {UsageError} `at` is none; {FluxError} as {@link snapshot}
   */
  async reader(at?: string): Promise<KvsReader> {
    const rootdir = at === undefined ? undefined : parseDirref(at)
    if (this.isLive) return this.serviceReader(rootdir)
    const store = await this.store()
    const rootref = rootdir?.data[0] ?? (await this.snapshot()).rootref
    return new SnapshotReader({ store, rootref }, { signal: this.signal })
  }

  /** Asks the KVS service of a live instance. @throws {FluxError} `ENOTSUP` it is none */
  async serviceReader(rootdir?: Dirref): Promise<ServiceReader> {
    return new ServiceReader(await this.service(), { namespace: this.namespace, rootdir, signal: this.signal })
  }

  /** The root, with what is known of it: of a live instance, whose it is. @throws {FluxError} as {@link snapshot} */
  async currentRoot(): Promise<{ rootref: string; sequence?: number | undefined; owner?: number }> {
    if (this.isLive) return (await this.service()).root(this.namespace)
    return this.snapshot()
  }

  /** The KVS service of a live instance. @throws {FluxError} `ENOTSUP` it is none */
  async service(): Promise<KvsService> {
    const { instance, name } = await this.store()
    if (instance) return instance.kvs
    throw new FluxError('ENOTSUP', `${name}: not a live instance`)
  }

  /** @throws {FluxError} `EBUSY` somebody changed the store while it was read */
  async assertUnchanged(): Promise<void> {
    await (await this.#store)?.assertUnchanged()
  }

  /** Close the store, if one was opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    // One that could not be opened has told so to whoever asked for it.
    const store = await this.#store?.catch(() => undefined)
    await store?.close()
  }
}

function parseDirref(text: string): Dirref {
  let obj: TreeObj | undefined
  try {
    obj = asTreeObj(JSON.parse(text))
  } catch {
    // Whatever it is, it is no dirref.
  }
  if (obj?.type === 'dirref' && dirBlobref(obj) !== undefined) return obj
  throw new UsageError(`--at ${text}: not a dirref object`, 'it looks like what kvs getroot prints')
}
