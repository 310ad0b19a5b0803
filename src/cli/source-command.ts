import { Flags, type Interfaces } from '@oclif/core'
import type { ContentStore, KvsService, LiveInstance } from '../content/index.ts'
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

/** The flag for the directory that keys start from. */
export const atFlag = {
  at: Flags.string({
    char: 'a',
    summary: 'start from this directory, an RFC 11 dirref object, as kvs getroot prints it',
    helpValue: 'TREEOBJ',
    helpGroup: 'SNAPSHOT',
  }),
}

/** Flags of a {@link SourceCommand}, as its `parse` gives them. */
export type SourceCommandFlags = Interfaces.InferredFlags<(typeof SourceCommand)['baseFlags']>

/**
 * A command that reads any source: a live instance, a content store on disk, or an archive. It has the flags that
 * choose the source and its root; `this.parse(…).flags` has them beside the command's own.
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
   * Work on the source that the flags name. It is opened on first use, and always closed at the end. The first signal
   * (SIGINT, SIGTERM, SIGHUP, SIGQUIT) aborts `source.signal`.
   *
   * @throws {UsageError} flags contradict each other
   * @throws {FluxError} the source cannot be opened; `EBUSY` it was changed while it was read
   * @throws {InterruptedError} a signal has come
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

/** The source that the flags of a {@link SourceCommand} name. */
export class Source implements AsyncDisposable {
  /** Aborted when the command is interrupted. */
  readonly signal: AbortSignal
  /** The root that the flags choose. */
  readonly choice: RootChoice
  readonly #flags: SourceChoice & { signal: AbortSignal }
  #store: Promise<ContentStore> | undefined
  #snapshot: Promise<Snapshot> | undefined

  constructor(flags: SourceChoice & { signal: AbortSignal }, choice: RootChoice) {
    this.signal = flags.signal
    this.choice = choice
    this.#flags = flags
  }

  /** Open the content store, once. @throws {FluxError} it cannot be opened */
  store(): Promise<ContentStore> {
    this.#store ??= openSource(this.#flags)
    return this.#store
  }

  /** Call it before reading (nearly) all of the store: then the progress line shows the part that is done. */
  readsAll(): void {
    if (this.#flags.progress) this.#flags.progress.isWhole = true
  }

  /** The chosen root, with its facts. @throws {FluxError} as {@link resolveRoot} */
  snapshot(): Promise<Snapshot> {
    this.#snapshot ??= this.store().then((store) => resolveRoot(store, this.choice))
    return this.#snapshot
  }

  /** The chosen namespace. */
  get namespace(): string {
    return this.choice.namespace ?? PRIMARY_NAMESPACE
  }

  /**
   * True for a live instance without a named checkpoint or root. Then its KVS service answers: this needs no more
   * rights than `flux kvs`, and keys may change while they are read.
   */
  get isLive(): boolean {
    return this.#flags.store === undefined && this.#flags.archive === undefined && !namesRoot(this.choice)
  }

  /**
   * A reader of keys: of the snapshot, or, if {@link isLive}, of the KVS service.
   *
   * @param at - text of a dirref object to start from instead of the root
   * @throws {UsageError} `at` is not a dirref object
   * @throws {FluxError} as {@link snapshot}
   */
  async reader(at?: string): Promise<KvsReader> {
    const rootdir = at === undefined ? undefined : parseDirref(at)
    if (this.isLive) return this.serviceReader(rootdir)
    const store = await this.store()
    const rootref = rootdir?.data[0] ?? (await this.snapshot()).rootref
    return new SnapshotReader({ store, rootref }, { signal: this.signal })
  }

  /** A reader that uses the KVS service of a live instance. */
  async serviceReader(rootdir?: Dirref): Promise<ServiceReader> {
    return new ServiceReader(await this.service(), { namespace: this.namespace, rootdir, signal: this.signal })
  }

  /** The root, with its facts; for a live instance also its owner. @throws {FluxError} as {@link snapshot} */
  async currentRoot(): Promise<{ rootref: string; sequence?: number | undefined; owner?: number }> {
    if (this.isLive) return (await this.service()).root(this.namespace)
    return this.snapshot()
  }

  /** The KVS service. Only of a live instance: the commands that need one refuse the flags of other sources. */
  async service(): Promise<KvsService> {
    const { instance } = await this.store()
    return (instance as LiveInstance).kvs
  }

  /** @throws {FluxError} `EBUSY` the store was changed while it was read */
  async assertUnchanged(): Promise<void> {
    await (await this.#store)?.assertUnchanged()
  }

  /** Close the store, if one was opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    // If it could not be opened, the caller of store() has got the error.
    const store = await this.#store?.catch(() => undefined)
    await store?.close()
  }
}

function parseDirref(text: string): Dirref {
  let obj: TreeObj | undefined
  try {
    obj = asTreeObj(JSON.parse(text))
  } catch {
    // Not JSON, or not a tree object: reported below.
  }
  if (obj?.type === 'dirref' && dirBlobref(obj) !== undefined) return obj
  throw new UsageError(`--at ${text}: not a dirref object`, 'it looks like what kvs getroot prints')
}
