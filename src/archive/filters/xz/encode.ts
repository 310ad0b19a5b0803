/**
 * xz as several streams in a row, which any unxz reads as one file. liblzma compresses, through the program `xz` as in
 * GNU tar, with one process for each block. The npm packages with liblzma's encoder need a C compiler, and the others
 * are slower, compress worse or not at all. A single process with `--threads` is no alternative: with one thread it
 * writes other bytes, and not every version has an option to prevent that.
 */
import { FluxError } from '../../../errors/index.ts'
import { findProgram } from '../../../files/index.ts'
import type { Sink } from '../../sink.ts'
import { type BlockCompressor, BlockFilter } from '../block-filter.ts'
import type { Filter, FilterOptions } from '../filter.ts'
import { ProgramCompressor } from '../program.ts'
import { checkXzStream } from './check.ts'

const KIB = 1 << 10
const MIB = 1 << 20

/** Dictionary sizes of xz's presets 0 to 9. */
const DICTIONARY_BYTES = [256 * KIB, MIB, 2 * MIB, 4 * MIB, 4 * MIB, 8 * MIB, 8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB]

/**
 * Input bytes of a stream. On job histories, blocks of 4 MiB compress to within 0.4 % of the size of one stream, in two
 * thirds of the processor time, since more of the data stays in its caches. Levels above 6 differ from 6 only in the
 * dictionary, so their blocks are larger: half of xz's dictionary.
 */
function blockBytesOf(level: number): number {
  return Math.max(4 * MIB, (DICTIONARY_BYTES[level] as number) / 2)
}

/**
 * Levels 4 to 6 use hash chains as match finder, not xz's binary trees: they quickly find what a job's records share
 * with the last job's. On job histories that halves the time and adds 0.3 % to the size; on program sources it would
 * add 9 %. Levels above 6 keep the trees, since they are chosen for small size.
 */
function matchFinderOf(level: number): string {
  return level >= 4 && level <= 6 ? ',mf=hc4,depth=8' : ''
}

/** Open the xz filter. @throws {FluxError} as {@link xzCompressor} */
export function openFilter(sink: Sink, options: FilterOptions): Filter {
  return new BlockFilter(sink, xzCompressor(options.level, options.name), options)
}

/**
 * @param level - 0 (fast) to 9 (small)
 * @param name - the name of the archive in messages
 * @throws {FluxError} `ENOENT` the program `xz` is not installed. Checked at once, so that no archive is begun that
 *   cannot be finished.
 */
export function xzCompressor(level: number, name: string): BlockCompressor {
  const program = findProgram('xz')
  if (program === undefined) {
    throw new FluxError('ENOENT', `cannot write ${name}: it takes the program xz, which is not on PATH`, {
      hint: 'install it (package xz-utils or xz), or write .tar.zst',
    })
  }
  const blockBytes = blockBytesOf(level)
  const dictionary = Math.min(DICTIONARY_BYTES[level] as number, blockBytes)
  const filter = `--lzma2=preset=${level},dict=${dictionary}${matchFinderOf(level)}`
  const args = ['--compress', '--stdout', '--format=xz', '--check=crc64', '--threads=1', filter]
  return new ProgramCompressor(program, args, blockBytes, checkXzStream)
}
