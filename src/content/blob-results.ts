/** Turns a reading thread's answer to a batch into one result for each blob. */
import { ContentError } from './content-error.ts'
import type { BlobResult } from './content-store.ts'
import { BLOB, type PackedBatch } from './packed-batch.ts'

/** The result of one blob. @param i - its place in the batch */
export function resultOf(batch: PackedBatch, i: number, blobref: string): BlobResult {
  const status = batch.status[i]
  if (status === BLOB.PACKED) return batch.arena.subarray(batch.start[i], batch.end[i])
  return status === BLOB.LARGE ? batch.large.get(i) : errorOf(status as number, blobref, batch.reasons.get(i))
}

/** The error of a blob that is missing, damaged or unreadable; undefined when nothing is wrong. */
export function errorOf(status: number, blobref: string, reason: string | undefined): ContentError | undefined {
  switch (status) {
    case BLOB.PACKED:
    case BLOB.LARGE:
    case BLOB.DEFERRED:
      return undefined
    case BLOB.MISSING:
      return new ContentError('ENOENT', blobref, 'No such file or directory')
    case BLOB.TOO_LARGE:
      return new ContentError('EFBIG', blobref, 'File too large')
    case BLOB.ALTERED:
      return new ContentError('EBADMSG', blobref, 'altered: the stored bytes do not match the blobref')
    default:
      return new ContentError('EIO', blobref, reason ?? 'Input/output error')
  }
}
