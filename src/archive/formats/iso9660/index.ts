import type { FileFormat } from '../format.ts'
import { DESCRIPTOR_IDENTIFIER_AT, SECTOR, STANDARD_IDENTIFIER, SYSTEM_SECTORS } from './layout.ts'

/** ISO 9660 with Rock Ridge and Joliet: an image that can be mounted. */
export const iso9660: FileFormat<'iso9660'> = {
  name: 'iso9660',
  extensions: ['.iso'],
  magic: [[[SYSTEM_SECTORS * SECTOR + DESCRIPTOR_IDENTIFIER_AT, STANDARD_IDENTIFIER]]],
  seekable: true,
  write: () => import('./writer.ts'),
  read: () => import('./reader.ts'),
}
