import { ChildProcess, type SpawnSyncOptionsWithBufferEncoding, spawn, spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scratch } from './fixtures.ts'

/** The CLI as users run it, from `dist`. */
export const CLI = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** The environment of a person who has set nothing. */
export function cleanEnv(extra: Record<string, string> = {}): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(FLUX_|SOURCE_DATE|DEBUG|FORCE_COLOR|NO_COLOR|CI$)/.test(name)) env[name] = value as string
  }
  return { ...env, ...extra }
}

/**
 * For a process with a limit on files or on their size: `npm run coverage` counts nothing in it, because V8 could not write
 * its file, and would say so on stderr. It is empty, and not undefined, because Node.js hands on a variable that is missing.
 */
export const UNCOUNTED = { NODE_V8_COVERAGE: '' }

/** What became of a command. */
export interface Outcome {
  status: number | null
  stdout: Buffer
  stderr: string
}

export interface Finished extends Outcome {
  signal: NodeJS.Signals | null
}

export function fluxTs(args: readonly string[], options: SpawnSyncOptionsWithBufferEncoding = {}): Finished {
  const result = spawnSync(process.execPath, [CLI, ...args], { env: cleanEnv(), maxBuffer: 1 << 28, ...options })
  return { status: result.status, signal: result.signal, stdout: result.stdout, stderr: result.stderr.toString() }
}

/** Start the CLI without waiting for it. */
export function startFluxTs(args: readonly string[], env: Record<string, string> = {}) {
  return start(process.execPath, [CLI, ...args], env)
}

function start(command: string, args: readonly string[], env: Record<string, string>) {
  const child = spawn(command, args, { env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null; stderr: string }>((resolve) =>
    child.on('close', (status, signal) => resolve({ status, signal, stderr })),
  )
  return { child, ended }
}

/** Settles when a child has ended, or when what it has done so far is enough: looked at again and again. */
export async function until(isEnough: () => boolean, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null && !isEnough()) {
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** Run the CLI to its end without blocking this process, in which a broker double may have to answer it. */
export function fluxTsAside(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  return runAside(process.execPath, [CLI, ...args], env)
}

/** The same for any program. */
export async function runAside(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Finished> {
  const { child, ended } = start(command, args, env)
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { ...(await ended), stdout: Buffer.concat(chunks) }
}

/** Run a program that must succeed. @returns its stdout */
export function run(command: string, args: readonly string[], input?: Uint8Array): Buffer {
  const result = spawnSync(command, args, {
    maxBuffer: 1 << 28,
    ...(input ? { input } : {}),
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  })
  if (result.error) throw result.error
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.status} ${result.stderr}`)
  return result.stdout
}

/** True when a program is on PATH. */
export function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

/** Run with other variables of the environment. */
export async function withEnv<T>(env: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, env)
  try {
    return await work()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

/** A directory for PATH, with a program of our own. */
export function fakeProgram(name: string, script: string): string {
  const dir = scratch()
  writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(dir, name), 0o755)
  return dir
}

/** How many processes are signalled meanwhile: none really is. */
export async function signalsOf(work: () => Promise<void>): Promise<number> {
  const childKill = ChildProcess.prototype.kill
  const { kill } = process
  let signals = 0
  const count = () => {
    signals++
    return true as const
  }
  ChildProcess.prototype.kill = count
  process.kill = count
  try {
    await work()
  } finally {
    ChildProcess.prototype.kill = childKill
    process.kill = kill
  }
  return signals
}
