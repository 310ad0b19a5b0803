/** Compressors that are programs, a process for each block. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { basename, delimiter, isAbsolute, join } from 'node:path'
import { limitError } from '../../errors/index.ts'
import type { BlockCompressor } from './block-filter.ts'

/** More than this of what a program says is not kept. */
const MAX_STDERR = 1000

/** What a compressor may make of its input, and more: incompressible data grows by less than 2 %. */
const mostPacked = (bytes: number): number => bytes + (bytes >> 5) + 4096

/** What users have set for themselves would change the bytes. */
const VARIABLES = ['XZ_DEFAULTS', 'XZ_OPT', 'BZIP2', 'BZIP']

/** Says what is wrong with what a program made of a block, in words that follow its name. */
export type PackedCheck = (block: Uint8Array, packed: Uint8Array) => string | undefined

/** Compresses each block by a process of its own. */
export class ProgramCompressor implements BlockCompressor {
  readonly blockBytes: number
  readonly #program: string
  readonly #args: readonly string[]
  readonly #check: PackedCheck
  readonly #children = new Set<ChildProcess>()

  /**
   * @param program - where it is: {@link findProgram}
   * @param args - with which it compresses its standard input to its standard output
   * @param blockBytes - as {@link BlockCompressor.blockBytes}
   * @param check - looks at what the program wrote: that it says all is well is not enough
   */
  constructor(program: string, args: readonly string[], blockBytes: number, check: PackedCheck) {
    this.#program = program
    this.#args = args
    this.#check = check
    this.blockBytes = blockBytes
  }

  async compress(block: Uint8Array): Promise<Uint8Array> {
    // In a session of its own, so that Ctrl-C does not end it before we know.
    const child = spawn(this.#program, this.#args, { env: programEnv(), detached: true })
    this.#children.add(child)
    try {
      const packed = await new Promise<Uint8Array>((resolve, reject) => {
        child.on('error', (error) => reject(limitError(error, `cannot run ${this.#program}`)))
        // Without descriptors for its pipes it has none, and the error is on its way.
        if (child.stdout === undefined) return
        const out: Buffer[] = []
        let bytes = 0
        let said = ''
        child.stdout.on('data', (chunk: Buffer) => {
          out.push(chunk)
          bytes += chunk.length
          if (bytes <= mostPacked(block.length)) return
          reject(new Error(`${this.#program} failed: it wrote more than ${bytes} bytes for ${block.length}`))
          end(child)
        })
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          said = (said + text).slice(0, MAX_STDERR)
        })
        child.on('close', (status, signal) => {
          if (status === 0) resolve(Buffer.concat(out))
          else reject(new Error(`${this.#program} ${this.#ending(said, status, signal)}`))
        })
        // If it does not take all, how it ends says why.
        child.stdin.on('error', () => {})
        child.stdin.end(block)
      })
      const wrong = this.#check(block, packed)
      if (wrong !== undefined) throw new Error(`${this.#program} failed: it ${wrong}`)
      return packed
    } finally {
      this.#children.delete(child)
    }
  }

  async close(): Promise<void> {
    const ended = [...this.#children].map((child) => {
      // One that could not be started, before it has said so.
      if (child.pid === undefined) return undefined
      const closed = new Promise((resolve) => child.once('close', resolve))
      end(child)
      return closed
    })
    await Promise.all(ended)
  }

  #ending(said: string, status: number | null, signal: NodeJS.Signals | null): string {
    if (signal !== null) return `was killed by ${signal}`
    const line = said.trim().split('\n').at(-1) ?? ''
    const own = new RegExp(`^\\S*${basename(this.#program)}: (\\(stdin\\): )?`)
    return `failed: ${line.replace(own, '') || `exit status ${status}`}`
  }
}

/**
 * End a program and what it has started, which may hold its output open: it is the leader of a process group. What has left
 * the group is not waited for.
 */
function end(child: ChildProcess): void {
  const { pid, exitCode, signalCode } = child
  if (pid !== undefined && exitCode === null && signalCode === null) {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
}

/** The environment that programs are run in. */
export function programEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: 'C' }
  for (const name of VARIABLES) delete env[name]
  return env
}

/** @returns where the program is; undefined when it is not in any directory of PATH */
export function findProgram(name: string): string | undefined {
  for (const dir of (process.env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    const program = join(dir, name)
    try {
      accessSync(program, constants.X_OK)
      if (statSync(program).isFile()) return program
    } catch {
      // Not there: look on.
    }
  }
  return undefined
}
