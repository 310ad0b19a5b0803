import { existsSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { Flags } from '@oclif/core'
import { BrokerWriter, type ContentWriter, HashingWriter, type HashName, openStoreWriter } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { silenceOptions } from './silence.ts'
import { closedBy, noInstanceHint, refuseLiveFlags } from './source-choice.ts'
import { paceFlags, timeoutFlag, uriHelp } from './source-flags.ts'
import { UsageError } from './usage-error.ts'
import { holdYoungGeneration } from './young-generation.ts'

/** Flags that choose the target of a restore. */
export const targetFlags = {
  checkpoint: Flags.boolean({
    summary: 'make the snapshot the checkpoint that the KVS starts from next time',
    description: 'The KVS module must not be loaded. With --store a checkpoint is always made.',
    exclusive: ['key', 'dry-run'],
    helpGroup: 'TARGET',
  }),
  key: Flags.string({
    summary: 'make the snapshot the directory of this key',
    helpValue: 'KEY',
    exclusive: ['checkpoint', 'dry-run'],
    helpGroup: 'TARGET',
  }),
  uri: Flags.string({
    ...uriHelp,
    summary: 'the live instance (default: FLUX_URI, else the system instance)',
    helpGroup: 'TARGET',
  }),
  timeout: timeoutFlag('TARGET'),
  store: Flags.string({
    summary: 'write to a content store on disk, while its broker is down, or create one',
    description:
      'PATH is a statedir, a content.sqlite file, or a content.files directory. Everything is written, or nothing. Existing checkpoints stay.',
    helpValue: 'PATH',
    helpGroup: 'TARGET',
  }),
  hash: Flags.string({
    summary: 'hash algorithm of blobrefs in a new store, or with --dry-run (default: sha1)',
    options: ['sha1', 'sha256'],
    helpGroup: 'TARGET',
  }),
  'dry-run': Flags.boolean({ summary: 'write nothing; print the root that a restore would make', helpGroup: 'TARGET' }),
  ...paceFlags,
}

/** The values of the {@link targetFlags}. */
export interface TargetChoice {
  checkpoint?: boolean | undefined
  key?: string | undefined
  uri?: string | undefined
  timeout?: string | undefined
  store?: string | undefined
  hash?: string | undefined
  'dry-run'?: boolean | undefined
  maxreqs?: number | undefined
  'no-cache'?: boolean | undefined
  'sd-notify'?: boolean | undefined
  /** Called with a one-line warning and its kind when a live instance does not answer. */
  onWarning?: (message: string, kind: string) => void
}

/** The target of a restore. */
export interface Target extends AsyncDisposable {
  /** In words: "KVS key 'foo'". */
  readonly name: string
  readonly hash: HashName
  readonly isDryRun: boolean
  readonly writer: Pick<ContentWriter, 'hash' | 'storeBatch'>
  /** A directory with room for temporary files; undefined for the usual one. */
  readonly scratchDir?: string
  /** Make a root the snapshot of the target. @throws {FluxError} it failed; the target is unchanged */
  commit(root: { rootref: string; timestamp: number }): Promise<void>
  /** Flush caches after the commit. @returns the message of a failure, which does not make the restore fail */
  afterCommit(): Promise<string | undefined>
  /** Send progress to systemd through the broker; undefined if the target is not a live instance. */
  notifyStatus?(status: string): Promise<void>
}

/**
 * Open the target that the flags name.
 *
 * @throws {UsageError} they name no target, or contradict each other
 * @throws {FluxError} the target cannot be opened; `EBUSY` the kvs module is loaded (`--checkpoint`)
 */
export async function openTarget(choice: TargetChoice, signal: AbortSignal): Promise<Target> {
  const { checkpoint, key, store } = choice
  const hash = choice.hash as HashName | undefined
  if (choice['dry-run'] && store === undefined) return dryRun(new HashingWriter(hash ?? 'sha1'))
  if (store !== undefined) {
    refuseLiveFlags({ ...choice })
    if (choice['dry-run'])
      throw new UsageError('--dry-run does not go with --store', 'give --dry-run alone: it writes to no target')
    if (key !== undefined) throw new UsageError('--key does not go with --store', 'a store is restored as a whole')
    holdYoungGeneration()
    return storeTarget(await openStoreWriter(store, { hash }))
  }
  if (hash !== undefined) throw new UsageError('--hash is for --store and --dry-run', 'a live instance has its own')
  if (!checkpoint && key === undefined) {
    throw new UsageError(
      'Please specify a restore target with --checkpoint or --key',
      'or --store PATH, with no broker',
    )
  }
  if (key !== undefined && /^\.*$/.test(key)) {
    throw new UsageError(
      `error updating ${key}: Invalid argument`,
      'the root itself cannot be replaced; name a key below it',
    )
  }
  return liveTarget(choice, signal)
}

function dryRun(writer: HashingWriter): Target {
  return {
    name: 'nowhere',
    hash: writer.hash,
    isDryRun: true,
    writer,
    commit: async () => {},
    afterCommit: async () => undefined,
    [Symbol.asyncDispose]: async () => {},
  }
}

function storeTarget(writer: ContentWriter): Target {
  const { name } = writer
  return {
    name: `checkpoint of ${name}`,
    hash: writer.hash,
    isDryRun: false,
    writer,
    // Where the store goes there is more room than a temporary file takes.
    scratchDir: dirname(existsSync(name) ? realpathSync(name) : name),
    commit: ({ rootref, timestamp }) => writer.commit({ rootref, sequence: 0, timestamp }),
    afterCommit: async () => undefined,
    [Symbol.asyncDispose]: () => writer.close(),
  }
}

async function liveTarget(choice: TargetChoice, signal: AbortSignal): Promise<Target> {
  const { uri, key, maxreqs, 'no-cache': noCache } = choice
  const silence = silenceOptions(choice.timeout, choice.onWarning)
  const opened = await BrokerWriter.open(uri, { maxreqs, noCache, signal, ...silence }).catch((error) => {
    throw noInstanceHint(error, uri, 'or a store on disk to be written with --store PATH')
  })
  const writer = closedBy(signal, opened)
  try {
    if (key === undefined && (await writer.isKvsRunning())) {
      throw new FluxError('EBUSY', 'please unload kvs module before using --checkpoint')
    }
  } catch (error) {
    await writer.close()
    throw error
  }
  const namespace = process.env.FLUX_KVS_NAMESPACE || undefined
  return {
    name: key === undefined ? 'checkpoint for next KVS start' : `KVS key '${key}'`,
    hash: writer.hash,
    isDryRun: false,
    writer,
    commit: ({ rootref, timestamp }) =>
      key === undefined
        ? writer.commit({ rootref, sequence: 0, timestamp })
        : writer.commitKey(key, rootref, namespace),
    afterCommit: async () => {
      if (noCache) return undefined
      return writer.flush().then(
        () => undefined,
        (error: Error) => error.message,
      )
    },
    notifyStatus: (status) => writer.notifyStatus(status),
    [Symbol.asyncDispose]: () => writer.close(),
  }
}
