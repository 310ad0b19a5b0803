/** A `content.files` directory (module content-files): each blob is a file. */
import { basename } from 'node:path'
import { moduleBeside } from '../../threads/index.ts'
import { isBlobref } from '../blobref.ts'
import type { StoreKind } from '../store-kind.ts'
import { CHECKPOINT_FILE } from './checkpoint-file.ts'
import type { FilesReading } from './reader.ts'
import type { FilesWriting } from './writer.ts'

const FILE_NAME = 'content.files'

export const filesKind: StoreKind = {
  name: 'files',
  fileName: FILE_NAME,
  isDirectory: true,
  what: 'a directory',

  recognise: ({ path, stats, names }) =>
    stats?.isDirectory() === true &&
    (basename(path) === FILE_NAME || names().some((name) => isBlobref(name) || name === CHECKPOINT_FILE)),

  mayBeMade: ({ path, stats }) => stats === undefined && basename(path) === FILE_NAME,

  openToRead: async (path, { verify }) => ({
    module: moduleBeside('./reader', import.meta.url).href,
    data: { path, verify } satisfies FilesReading,
  }),

  openToWrite: async (path, { hash }) => ({
    module: moduleBeside('./writer', import.meta.url).href,
    data: { path, hash } satisfies FilesWriting,
  }),
}
