import type { FileFormat } from '../format.ts'
import { checkHeader } from './header.ts'
import { BLOCK_BYTES, MAGIC, RECORD_BYTES, USTAR } from './layout.ts'

/** POSIX tar, and the dialects that are read. */
export const tar: FileFormat<'tar'> = {
  name: 'tar',
  extensions: ['.tar'],
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
}

/**
 * A tar without members is nothing but zeros, and so is the beginning of an ISO 9660 image, of a sparse file, and of a file
 * that lost its first block. Only what a writer of tar makes is taken for one: it fills an archive up to one record at most.
 */
function isEmpty(head: Buffer): boolean {
  return head.length <= RECORD_BYTES && head.length % BLOCK_BYTES === 0 && head.every((byte) => byte === 0)
}
