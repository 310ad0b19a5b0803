/**
 * bzip2 as several streams in a row, which any bunzip2 reads as one file. libbz2 compresses: through the program
 * `bzip2`, one process for each block, or without that program through bzip2-wasm in threads, which takes 1.5 times the
 * processor time for the same bytes.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findProgram } from '../../../files/index.ts'
import { Thread } from '../../../threads/index.ts'
import type { Sink } from '../../sink.ts'
import { type BlockCompressor, BlockFilter } from '../block-filter.ts'
import type { Filter, FilterOptions } from '../filter.ts'
import { ProgramCompressor, programEnv } from '../program.ts'
import { checkBzip2Stream } from './check.ts'
import { LEVEL_BYTES } from './layout.ts'
import type { Bzip2Handlers, Bzip2ThreadData } from './thread.ts'

/**
 * bzip2 blocks in a stream. The last one is short, because runs are shortened first. With one block for each stream,
 * archives are 1.5 % larger.
 */
const STREAM_BLOCKS = 4

/** Other programs of that name, for example busybox's, do not write the same bytes as libbz2. */
const LIBBZ2 = /block-sorting file compressor\.\s+Version 1\.0\./

const ASK_MS = 2000

export async function openFilter(sink: Sink, options: FilterOptions): Promise<Filter> {
  return new BlockFilter(sink, await bzip2Compressor(options.level, options.signal), options)
}

/**
 * @param level - 1 to 9: bzip2's blocks in units of 100,000 bytes
 * @param signal - aborts the wait for the program's version
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

/** Compresses with bzip2-wasm, in threads that take one block at a time. */
export class ThreadedBzip2 implements BlockCompressor {
  readonly blockBytes: number
  readonly #data: Bzip2ThreadData
  readonly #idle: Thread<Bzip2Handlers>[] = []
  readonly #threads = new Set<Thread<Bzip2Handlers>>()

  constructor(level: number, blockBytes: number) {
    this.#data = { level }
    this.blockBytes = blockBytes
  }

  /** Starts a thread when no started one is idle. */
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
