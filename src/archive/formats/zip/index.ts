import type { FileFormat } from '../format.ts'
import { MAGICS } from './layout.ts'

/** Zip, deflated or stored. */
export const zip: FileFormat<'zip'> = {
  name: 'zip',
  extensions: ['.zip', '.jar'],
  magic: MAGICS.map((magic) => [[0, magic]]),
  levels: { least: 1, most: 9, usual: 6 },
  seekable: true,
  write: () => import('./writer.ts'),
  read: () => import('./reader.ts'),
  salvage: () => import('./salvage.ts'),
}
