/** What became of each blob of a batch that a reading thread has answered. */
import { type BlobResult, ContentError } from './content-store.ts'
import { BLOB, type PackedBatch } from './packed-batch.ts'

/** One blob of a batch. @param i - its place there */
export function resultOf(batch: PackedBatch, i: number, blobref: string): BlobResult {
  const status = batch.status[i]
  if (status === BLOB.PACKED) return batch.arena.subarray(batch.start[i], batch.end[i])
  return status === BLOB.LARGE ? batch.large.get(i) : errorOf(status as number, blobref, batch.reasons.get(i))
}

/** Why a blob cannot be had, or what is wrong with it; undefined when nothing is. */
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
