/**
 * bzip2 as streams one after another, which any bunzip2 reads as one file. Compressed by libbz2: through the program
 * `bzip2`, a process for each block, or where that is not, by bzip2-wasm in threads, which takes one and a half times the
 * processor time for the same bytes.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Thread } from '../../../threads/index.ts'
import type { Sink } from '../../sink.ts'
import { type BlockCompressor, BlockFilter } from '../block-filter.ts'
import type { Filter, FilterOptions } from '../filter.ts'
import { findProgram, ProgramCompressor, programEnv } from '../program.ts'
import { checkBzip2Stream } from './check.ts'
import { LEVEL_BYTES } from './layout.ts'
import type { Bzip2Handlers, Bzip2ThreadData } from './thread.ts'

/** bzip2's blocks in a stream. The last of them is short, as repetitions are taken out before: with one, 1.5 % are lost. */
const STREAM_BLOCKS = 4

/** Others of that name, busybox's for one, do not write what libbz2 does. */
const LIBBZ2 = /block-sorting file compressor\.\s+Version 1\.0\./

const ASK_MS = 2000

export async function openFilter(sink: Sink, options: FilterOptions): Promise<Filter> {
  return new BlockFilter(sink, await bzip2Compressor(options.level, options.signal), options)
}

/**
 * @param level - 1 to 9: bzip2's blocks in units of 100,000 bytes
 * @param signal - ends the wait for a program that does not say what it is
 */
export async function bzip2Compressor(level: number, signal?: AbortSignal): Promise<BlockCompressor> {
  const blockBytes = STREAM_BLOCKS * level * LEVEL_BYTES
  const program = findProgram('bzip2')
  if (program === undefined || !(await isLibbz2(program, signal))) return new ThreadedBzip2(level, blockBytes)
  const args = ['--compress', '--stdout', `-${level}`]
  return new ProgramCompressor(program, args, blockBytes, (input, packed) => checkBzip2Stream(level, input, packed))
}

async function isLibbz2(program: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const options = { env: programEnv(), timeout: ASK_MS, killSignal: 'SIGKILL', signal } as const
    const { stderr } = await promisify(execFile)(program, ['--help'], options)
    return LIBBZ2.test(stderr)
  } catch {
    return false
  }
}

/** By bzip2-wasm, in threads that take one block at a time. */
export class ThreadedBzip2 implements BlockCompressor {
  readonly blockBytes: number
  readonly #data: Bzip2ThreadData
  readonly #idle: Thread<Bzip2Handlers>[] = []
  readonly #threads = new Set<Thread<Bzip2Handlers>>()

  constructor(level: number, blockBytes: number) {
    this.#data = { level }
    this.blockBytes = blockBytes
  }

  /** There are as many threads as there have been blocks at once. */
  async compress(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const thread = this.#idle.pop() ?? new Thread<Bzip2Handlers>('bzip2', './thread', import.meta.url, this.#data)
    this.#threads.add(thread)
    const packed = await thread.call('compress', block, [block.buffer])
    this.#idle.push(thread)
    return packed
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()))
  }
}
