import type { FilterDescriptor } from '../filter.ts'
import { MAGIC } from './layout.ts'

export const gzip: FilterDescriptor<'gzip'> = {
  name: 'gzip',
  extension: '.gz',
  abbreviations: { tar: '.tgz' },
  magic: [[[0, MAGIC]]],
  levels: { least: 1, most: 9, usual: 6 },
  encode: () => import('./encode.ts'),
  decode: () => import('./decode.ts'),
}
