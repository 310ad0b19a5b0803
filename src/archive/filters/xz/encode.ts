/**
 * xz as streams one after another, which any unxz reads as one file. Compressed by liblzma through the program `xz`, as
 * GNU tar does it, with a process for each block: liblzma's encoder is not to be had in npm but for a compiler, and what
 * there is besides is slower, larger, or does not compress at all. Not one process with `--threads`: with one thread that
 * writes other bytes, and which versions can be told not to differs.
 */
import { FluxError } from '../../../errors/index.ts'
import type { Sink } from '../../sink.ts'
import { type BlockCompressor, BlockFilter } from '../block-filter.ts'
import type { Filter, FilterOptions } from '../filter.ts'
import { findProgram, ProgramCompressor } from '../program.ts'
import { checkXzStream } from './check.ts'

const KIB = 1 << 10
const MIB = 1 << 20

/** The dictionaries of xz's presets 0 to 9. */
const DICTIONARY_BYTES = [256 * KIB, MIB, 2 * MIB, 4 * MIB, 4 * MIB, 8 * MIB, 8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB]

/**
 * Input bytes of a stream. On job histories, 4 MiB come out within 0.4 % of the size of one stream, in two thirds of the
 * processor's time, since more stays in its caches. The levels above 6 differ from it in nothing but the dictionary, so
 * their blocks are larger: half of xz's dictionary, that is.
 */
function blockBytesOf(level: number): number {
  return Math.max(4 * MIB, (DICTIONARY_BYTES[level] as number) / 2)
}

/**
 * Matches are looked for in hash chains, not in the binary trees of xz's levels 4 to 6: what a job's records have in common
 * with the last job's is found at once. On job histories that is half of the time, for 0.3 % more; on program sources it
 * would be 9 %. Above 6, where somebody has asked for small, the trees stay.
 */
function matchFinderOf(level: number): string {
  return level >= 4 && level <= 6 ? ',mf=hc4,depth=8' : ''
}

/** @throws {FluxError} as {@link xzCompressor} */
export function openFilter(sink: Sink, options: FilterOptions): Filter {
  return new BlockFilter(sink, xzCompressor(options.level, options.name), options)
}

/**
 * @param level - 0 (fast) to 9 (small)
 * @param name - the archive, as messages name it
 * @throws {FluxError} `ENOENT` without the program: beforehand, so that nothing is begun that cannot be finished
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
