import type { FilterDescriptor } from '../filter.ts'
import { FRAME_MAGIC, latin1, SKIPPABLE_MAGIC } from './layout.ts'

/** A skippable frame may come first. */
const SKIPPABLE_MAGICS = Array.from({ length: 16 }, (_, n) => (SKIPPABLE_MAGIC << 4) | n)

export const zstd: FilterDescriptor<'zstd'> = {
  name: 'zstd',
  extension: '.zst',
  magic: [FRAME_MAGIC, ...SKIPPABLE_MAGICS].map((magic) => [[0, latin1(magic)]]),
  levels: { least: 1, most: 19, usual: 3 },
  encode: () => import('./encode.ts'),
  decode: () => import('./decode.ts'),
}
