import { BrokerWriter, type ContentStore, type ContentWriter, openStoreWriter } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { silenceOptions } from './silence.ts'
import { noInstanceHint } from './source-choice.ts'
import { UsageError } from './usage-error.ts'

/** Where a repaired tree is written: the store that it was read from. */
export interface RepairTarget extends AsyncDisposable {
  /**
   * Open the store for writing.
   *
   * @param read - the store that was read; it is closed first if it is on disk
   * @throws {FluxError} `EBUSY` it was changed meanwhile, or is in use; or as for {@link openStoreWriter}
   */
  writer(read: ContentStore): Promise<ContentWriter>
}

/**
 * Make sure that the source can be repaired.
 *
 * @throws {UsageError} it is an archive
 * @throws {FluxError} a live instance cannot be reached; `EBUSY` its kvs module is loaded, with the message of `flux
 *   fsck`
 */
export async function openRepairTarget(choice: {
  uri?: string | undefined
  store?: string | undefined
  archive?: string | undefined
  timeout?: string | undefined
  /** The message when the kvs module is loaded (default: that of `flux fsck`). */
  kvsMessage?: string | undefined
  onWarning?: (message: string, kind: string) => void
  signal?: AbortSignal
}): Promise<RepairTarget> {
  const { uri, store, archive, signal } = choice
  if (archive !== undefined) {
    throw new UsageError('an archive cannot be repaired', 'restore it to a store, and repair that with --store')
  }
  if (store !== undefined) {
    let writer: ContentWriter | undefined
    return {
      async writer(read) {
        await read.assertUnchanged()
        await read.close()
        writer = await openStoreWriter(store, { hash: read.hash })
        return writer
      },
      [Symbol.asyncDispose]: async () => writer?.close(),
    }
  }
  const silence = silenceOptions(choice.timeout, choice.onWarning)
  const writer = await BrokerWriter.open(uri, { noCache: true, signal, ...silence }).catch((error) => {
    throw noInstanceHint(error, uri)
  })
  if (await writer.isKvsRunning()) {
    await writer.close()
    throw new FluxError('EBUSY', choice.kvsMessage ?? 'please unload kvs module before using flux-fsck --repair')
  }
  return { writer: async () => writer, [Symbol.asyncDispose]: () => writer.close() }
}
