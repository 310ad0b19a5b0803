/** A kind of store made up for a test: all blobs in one JSON file, in memory while it is open. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { StoreKind } from '../../../src/content/store-kind.ts'

/** What is in the file. */
export interface ToyContent {
  toy: 1
  hash: 'sha1' | 'sha256'
  /** In base64, by the hexadecimal digest. */
  blobs: Record<string, string>
  /** Newest first. */
  checkpoints: object[]
}

export const toyKind: StoreKind = {
  name: 'toy',
  fileName: 'content.toy',
  isDirectory: false,
  what: 'a toy',
  recognise: ({ path, stats }) => stats?.isFile() === true && readFileSync(path, 'utf8').startsWith('{"toy":1'),
  mayBeMade: ({ path, stats }) => stats === undefined && basename(path).endsWith('.toy'),
  openToRead: async (path, { verify }) => ({
    module: new URL('reader.ts', import.meta.url).href,
    data: { path, verify },
  }),
  openToWrite: async (path, { hash = 'sha1' }) => ({
    module: new URL('writer.ts', import.meta.url).href,
    data: { path, hash },
  }),
}
