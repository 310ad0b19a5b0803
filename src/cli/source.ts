import { Flags } from '@oclif/core'
import { type ContentStore, isBlobref, openStore } from '../content/index.ts'
import { UsageError } from './usage-error.ts'

/** Flags that say which store is read. */
export const sourceFlags = {
  store: Flags.string({
    summary: 'read a content store on disk, with its broker down',
    description: 'A statedir, a content.sqlite, or a content.files directory. It is opened read-only.',
    helpValue: 'PATH',
    helpGroup: 'SOURCE',
  }),
  verify: Flags.boolean({
    summary: 'compare every blob with its blobref (--no-verify: do not)',
    default: true,
    allowNo: true,
    helpGroup: 'SOURCE',
  }),
}

/** Flags that say which root of the store is meant. */
export const rootFlags = {
  checkpoint: Flags.boolean({
    summary: 'start from the newest checkpoint in the backing store',
    description: 'For --store this is the default.',
    helpGroup: 'SNAPSHOT',
  }),
  'checkpoint-index': Flags.integer({
    summary: 'start from an older checkpoint; 0 is the newest',
    helpValue: 'N',
    min: 0,
    exclusive: ['root'],
    helpGroup: 'SNAPSHOT',
  }),
  root: Flags.string({
    summary: 'start from any directory, given by its blobref',
    helpValue: 'BLOBREF',
    exclusive: ['checkpoint', 'checkpoint-index'],
    helpGroup: 'SNAPSHOT',
  }),
}

export interface SourceChoice {
  store?: string | undefined
  verify: boolean
  /** Directories where a store with a journal may be given second names. */
  scratchDirs?: readonly string[]
}

/** Open the store that the flags name. @throws {UsageError} when they name none; {FluxError} when it cannot be opened */
export async function openSource(choice: SourceChoice): Promise<ContentStore> {
  const { store, verify, scratchDirs } = choice
  if (store === undefined) {
    throw new UsageError('no store given', 'say which one to read with --store PATH: a statedir or its content.sqlite')
  }
  return openStore(store, { verify, scratchDirs })
}

/** @throws {UsageError} when `--root` is not a blobref */
export function checkRoot(root: string | undefined): void {
  if (root === undefined || isBlobref(root)) return
  throw new UsageError(`--root ${root}: not a blobref`, 'it looks like sha1- and 40 lower-case hex digits')
}
