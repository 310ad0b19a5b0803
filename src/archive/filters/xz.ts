/**
 * xz as streams one after another, which any unxz reads as one file. Compressed by liblzma through the program `xz`, as
 * GNU tar does it, with a process for each block: liblzma's encoder is not to be had in npm but for a compiler, and what
 * there is besides is slower, larger, or does not compress at all. Not one process with `--threads`: with one thread that
 * writes other bytes, and which versions can be told not to differs.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { FluxError } from '../../errors/index.ts'
import type { BlockCompressor } from './block-filter.ts'

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

/** More than this of what the program says is not kept. */
const MAX_STDERR = 1000

export class XzCompressor implements BlockCompressor {
  readonly blockBytes: number
  readonly #program: string
  readonly #arguments: readonly string[]
  readonly #children = new Set<ChildProcess>()

  /**
   * @param level - 0 (fast) to 9 (small)
   * @param name - the archive, as messages name it
   * @throws {FluxError} `ENOENT` without the program
   */
  constructor(level: number, name: string) {
    this.#program = findXz(name)
    this.blockBytes = blockBytesOf(level)
    const dictionary = Math.min(DICTIONARY_BYTES[level] as number, this.blockBytes)
    const filter = `--lzma2=preset=${level},dict=${dictionary}`
    this.#arguments = ['--compress', '--stdout', '--format=xz', '--check=crc64', '--threads=1', filter]
  }

  async compress(block: Uint8Array): Promise<Uint8Array> {
    // What the user's variables say would change the bytes.
    const { XZ_DEFAULTS, XZ_OPT, ...env } = process.env
    // In a session of its own, so that Ctrl-C does not end it before we know.
    const child = spawn(this.#program, this.#arguments, { env: { ...env, LC_ALL: 'C' }, detached: true })
    this.#children.add(child)
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        const out: Buffer[] = []
        let said = ''
        child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          said = (said + text).slice(0, MAX_STDERR)
        })
        child.on('error', (error) => reject(new Error(`cannot run ${this.#program}: ${error.message}`)))
        child.on('close', (status, signal) => {
          if (status === 0) resolve(Buffer.concat(out))
          else reject(new Error(`${this.#program} ${ending(said, status, signal)}`))
        })
        // If it does not take all, how it ends says why.
        child.stdin.on('error', () => {})
        child.stdin.end(block)
      })
    } finally {
      this.#children.delete(child)
    }
  }

  async close(): Promise<void> {
    const ended = [...this.#children].map((child) => {
      child.kill('SIGKILL')
      return new Promise((resolve) => {
        if (child.pid === undefined) resolve(undefined)
        else child.once('close', resolve)
      })
    })
    await Promise.all(ended)
  }
}

function ending(said: string, status: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `was killed by ${signal}`
  const line = said
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^\S*xz: (\(stdin\): )?/, '')
  return `failed: ${line || `exit status ${status}`}`
}

/** Looked for beforehand, so that nothing is begun that cannot be finished. */
function findXz(name: string): string {
  for (const dir of (process.env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    const program = join(dir, 'xz')
    try {
      accessSync(program, constants.X_OK)
      if (statSync(program).isFile()) return program
    } catch {
      // Not there: look on.
    }
  }
  throw new FluxError('ENOENT', `cannot write ${name}: it takes the program xz, which is not on PATH`, {
    hint: 'install it (package xz-utils or xz), or write .tar.zst',
  })
}
