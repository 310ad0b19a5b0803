/** The CLI in this process, from its sources: what hundreds of invocations would cost, were each a process. */
import { fileURLToPath } from 'node:url'
import { Config, run, settings } from '@oclif/core'
import { sourcePackageJson } from '../../tools/source-package-json.js'
import { cleanEnv, type Outcome } from './processes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

let loaded: Promise<Config> | undefined

function config(): Promise<Config> {
  settings.enableAutoTranspile = false
  loaded ??= Config.load({ ignoreManifest: true, pjson: sourcePackageJson(root), root })
  return loaded
}

/**
 * Run a command as if it were a process of its own, whose output goes into pipes. One at a time.
 *
 * @param env - over the environment of a person who has set nothing
 */
export async function runInProcess(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const loadedConfig = await config()
  const before = { env: process.env, exitCode: process.exitCode }
  const stdout = new Capture(process.stdout)
  const stderr = new Capture(process.stderr)
  process.env = cleanEnv(env)
  process.exitCode = undefined
  let status = 0
  try {
    await run([...args], loadedConfig)
    status = Number(process.exitCode ?? 0)
  } catch (error) {
    const { oclif, skipOclifErrorHandling } = error as { oclif?: { exit?: number }; skipOclifErrorHandling?: boolean }
    status = oclif?.exit ?? 1
    if (!skipOclifErrorHandling) process.stderr.write(`${(error as Error).message}\n`)
  } finally {
    stdout.release()
    stderr.release()
    process.env = before.env
    process.exitCode = before.exitCode
  }
  return { status, stdout: stdout.bytes, stderr: stderr.bytes.toString() }
}

/**
 * What some work prints on standard output.
 *
 * @param isTTY - whether standard output is a terminal to those who ask
 */
export async function printed(work: () => unknown, isTTY = false): Promise<string> {
  const stdout = new Capture(process.stdout, isTTY)
  try {
    await work()
  } finally {
    stdout.release()
  }
  return stdout.bytes.toString()
}

/** What some work prints on standard error. */
export async function errorsOf(work: () => unknown): Promise<string> {
  const stderr = new Capture(process.stderr)
  try {
    await work()
  } finally {
    stderr.release()
  }
  return stderr.bytes.toString()
}

/** Takes what is written to a stream, and makes it a pipe, or a terminal, for those who ask. */
class Capture {
  readonly #stream: NodeJS.WriteStream
  readonly #write: NodeJS.WriteStream['write']
  readonly #isTTY: boolean
  readonly #chunks: Buffer[] = []

  constructor(stream: NodeJS.WriteStream, isTTY = false) {
    this.#stream = stream
    this.#write = stream.write
    this.#isTTY = stream.isTTY
    stream.isTTY = isTTY
    stream.write = ((chunk: Uint8Array | string, ...rest: unknown[]) => {
      this.#chunks.push(Buffer.from(chunk as string))
      const callback = rest.at(-1)
      if (typeof callback === 'function') queueMicrotask(() => callback())
      return true
    }) as NodeJS.WriteStream['write']
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  release(): void {
    this.#stream.write = this.#write
    this.#stream.isTTY = this.#isTTY
  }
}
