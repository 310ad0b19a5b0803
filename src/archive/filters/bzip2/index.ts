import type { FilterDescriptor } from '../filter.ts'
import { BLOCK_MAGIC, END_MAGIC, latin1, STREAM_MAGIC } from './layout.ts'

/** Offset after the magic and the level digit. A block starts there, or in an empty file the end of the stream. */
const AFTER_LEVEL = 4

export const bzip2: FilterDescriptor<'bzip2'> = {
  name: 'bzip2',
  extension: '.bz2',
  abbreviations: { tar: '.tbz2' },
  magic: [BLOCK_MAGIC, END_MAGIC].map((magic) => [
    [0, STREAM_MAGIC],
    [AFTER_LEVEL, latin1(magic)],
  ]),
  isInBlocks: true,
  levels: { least: 1, most: 9, usual: 9 },
  encode: () => import('./encode.ts'),
  decode: () => import('./decode.ts'),
}
