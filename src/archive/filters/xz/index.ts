import type { FilterDescriptor } from '../filter.ts'
import { STREAM_MAGIC } from './layout.ts'

export const xz: FilterDescriptor<'xz'> = {
  name: 'xz',
  extension: '.xz',
  abbreviations: { tar: '.txz' },
  magic: [[[0, STREAM_MAGIC]]],
  levels: { least: 0, most: 9, usual: 6 },
  encode: () => import('./encode.ts'),
  decode: () => import('./decode.ts'),
}
