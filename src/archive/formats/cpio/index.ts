import type { FileFormat } from '../format.ts'
import { LAYOUTS } from './layout.ts'

/** cpio in its portable forms: odc is written, newc read too. */
export const cpio: FileFormat<'cpio'> = {
  name: 'cpio',
  extensions: ['.cpio'],
  magic: Object.keys(LAYOUTS).map((magic) => [[0, magic]]),
  seekable: false,
  write: () => import('./writer.ts'),
  read: () => import('./reader.ts'),
  salvage: () => import('./mend.ts'),
}
