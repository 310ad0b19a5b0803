/** Compression by external programs, with one process for each block. */
import { type ChildProcess, spawn } from 'node:child_process'
import { basename } from 'node:path'
import { limitError } from '../../errors/index.ts'
import type { BlockCompressor } from './block-filter.ts'

/** Most characters kept of a program's error output. */
const MAX_STDERR = 1000

/** Most output bytes accepted for so many input bytes. Incompressible data grows by less than 2 %. */
const maxPackedBytes = (bytes: number): number => bytes + (bytes >> 5) + 4096

/** Variables removed from the environment: a user's settings would change the bytes. */
const VARIABLES = ['XZ_DEFAULTS', 'XZ_OPT', 'BZIP2', 'BZIP']

/** Checks the output of a program. @returns what is wrong, as text that follows the program's name */
export type PackedCheck = (block: Uint8Array, packed: Uint8Array) => string | undefined

/** Compresses each block in its own process. */
export class ProgramCompressor implements BlockCompressor {
  readonly blockBytes: number
  readonly #program: string
  readonly #args: readonly string[]
  readonly #check: PackedCheck
  readonly #children = new Set<ChildProcess>()

  /**
   * @param program - its path
   * @param args - arguments that make it compress standard input to standard output
   * @param blockBytes - see {@link BlockCompressor.blockBytes}
   * @param check - checks its output, since exit status 0 alone does not prove it right
   */
  constructor(program: string, args: readonly string[], blockBytes: number, check: PackedCheck) {
    this.#program = program
    this.#args = args
    this.#check = check
    this.blockBytes = blockBytes
  }

  async compress(block: Uint8Array): Promise<Uint8Array> {
    // In its own session, so that Ctrl-C does not kill it before we handle the signal.
    const child = spawn(this.#program, this.#args, { env: programEnv(), detached: true })
    this.#children.add(child)
    try {
      const packed = await new Promise<Uint8Array>((resolve, reject) => {
        child.on('error', (error) => reject(limitError(error, `cannot run ${this.#program}`)))
        // If no pipe could be created, there are no streams, and the error event follows.
        if (child.stdout === undefined) return
        const out: Buffer[] = []
        let bytes = 0
        let said = ''
        child.stdout.on('data', (chunk: Buffer) => {
          out.push(chunk)
          bytes += chunk.length
          if (bytes <= maxPackedBytes(block.length)) return
          reject(new Error(`${this.#program} failed: it wrote more than ${bytes} bytes for ${block.length}`))
          kill(child)
        })
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          said = (said + text).slice(0, MAX_STDERR)
        })
        child.on('close', (status, signal) => {
          if (status === 0) resolve(Buffer.concat(out))
          else reject(new Error(`${this.#program} ${this.#ending(said, status, signal)}`))
        })
        // Ignored: if the program does not read all input, its exit status says why.
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
      // It could not be started, and its error event has not come yet.
      if (child.pid === undefined) return undefined
      const closed = new Promise((resolve) => child.once('close', resolve))
      kill(child)
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
 * Kill a program and the processes it has started, which may hold its output open. It is the leader of their process
 * group. Processes that have left the group are not waited for.
 */
function kill(child: ChildProcess): void {
  const { pid, exitCode, signalCode } = child
  if (pid !== undefined && exitCode === null && signalCode === null) {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
}

/** The environment of programs that we run. */
export function programEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: 'C' }
  for (const name of VARIABLES) delete env[name]
  return env
}
