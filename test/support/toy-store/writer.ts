import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { BlobBatch, BlobWriter } from '../../../src/content/blob-batch.ts'
import { type Checkpoint, DIGEST_BYTES, encodeCheckpoint, type HashName } from '../../../src/content/index.ts'
import type { ToyContent } from './index.ts'

export function openWriter({ path, hash }: { path: string; hash: HashName }): BlobWriter {
  const content: ToyContent = existsSync(path)
    ? JSON.parse(readFileSync(path, 'utf8'))
    : { toy: 1, hash, blobs: {}, checkpoints: [] }
  return {
    hash: content.hash,
    store({ bytes, start, end, digests }: BlobBatch) {
      const width = DIGEST_BYTES[content.hash]
      for (let i = 0; i < start.length; i++) {
        const hex = Buffer.from(digests.subarray(i * width, (i + 1) * width)).toString('hex')
        content.blobs[hex] = Buffer.from(bytes.subarray(start[i], end[i])).toString('base64')
      }
    },
    commit(checkpoint: Checkpoint) {
      content.checkpoints.unshift(JSON.parse(encodeCheckpoint(checkpoint)))
      writeFileSync(path, JSON.stringify(content))
    },
    close() {},
  }
}
