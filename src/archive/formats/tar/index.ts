import type { FileFormat } from '../format.ts'
import { checkHeader } from './header.ts'
import { BLOCK_BYTES, EXTENSION, MAGIC, RECORD_BYTES, USTAR } from './layout.ts'

/** POSIX tar. Other dialects can be read. */
export const tar: FileFormat<'tar'> = {
  name: 'tar',
  extensions: [EXTENSION],
  magic: [[[MAGIC[0], USTAR]]],
  isLike: (head) => {
    if (head.length < BLOCK_BYTES) return false
    const first = checkHeader(head, 0)
    return first === 'sound' || (first === 'zero' && isEmpty(head))
  },
  filtered: true,
  seekable: false,
  write: () => import('./writer.ts'),
  read: () => import('./reader.ts'),
  salvage: () => import('./mend.ts'),
}

/**
 * A tar without members is all zeros, but so is the beginning of an ISO 9660 image, of a sparse file, and of a file
 * that lost its first block. So only what a writer of tar produces counts as an empty tar: zeros up to one record at
 * most.
 */
function isEmpty(head: Buffer): boolean {
  return head.length <= RECORD_BYTES && head.length % BLOCK_BYTES === 0 && head.every((byte) => byte === 0)
}
