/** A pack: blobs in a temporary file of ours, which is made and read much faster than a content store of Flux. */
import { moduleBeside } from '../../threads/index.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { OfflineStore } from '../offline-store.ts'
import { StoreReader } from '../store-reader.ts'
import { archiveToRead } from './archive-file.ts'
import type { PackReading } from './reader.ts'

/** How to open a pack. */
export interface OpenPackOptions {
  /** The name of the store for messages. */
  name: string
  /** Compare each blob with its blobref. */
  verify: boolean
  /** The only checkpoint. */
  checkpoint: Checkpoint
  /** The archive in which blobs lie, if there are any in it. */
  archive?: string | undefined
  /** Read in the thread from the beginning: the file will be moved or removed. */
  inThread?: boolean
}

/** @throws {FluxError} `EBADMSG` it is damaged; `EBUSY` the archive has changed; or the errno of the file system */
export async function openPack(path: string, options: OpenPackOptions): Promise<OfflineStore> {
  const { name, verify, checkpoint, archive, inThread } = options
  const data: PackReading = {
    path,
    name,
    verify,
    archive: archive === undefined ? undefined : archiveToRead(archive),
    checkpoints: [checkpoint],
  }
  const module = moduleBeside('./reader', import.meta.url).href
  const plan = { module, data, load: () => import('./reader.ts') }
  return new OfflineStore(await StoreReader.open(name, plan, undefined, inThread))
}
