/**
 * How long short commands take, as whole processes, in ratio to `node -e 0`: what scripts call by the hundred. It prints the
 * least of some runs of each, in turn, which a busy machine moves least. `npm run bench -- start`
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CLI = join(ROOT, 'bin/run.js')
const STORE = join(ROOT, 'examples/statedir')
const RUNS = Number(process.env.RUNS ?? 15)

const commands = (work: string): Record<string, string[]> => ({
  '--version': ['--version'],
  '--help': ['--help'],
  'dump --help': ['dump', '--help'],
  'kvs get': ['kvs', 'get', 'resource.R', '--store', STORE],
  'kvs ls': ['kvs', 'ls', '--store', STORE],
  jobs: ['jobs', '--store', STORE, '--json'],
  'completion bash': ['completion', 'bash'],
  'key completion': ['__complete', 'kvs', 'get', '--store', STORE, 'res'],
  'dump of a small store': ['dump', '-q', '--store', STORE, join(work, 'x.tar')],
})

/** @returns milliseconds */
function timeOf(args: readonly string[]): number {
  const began = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args)
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  return performance.now() - began
}

export async function run(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'flux-ts-bench-'))
  try {
    const all = Object.entries(commands(work))
    let bare = Number.POSITIVE_INFINITY
    const least = all.map(() => Number.POSITIVE_INFINITY)
    for (let run = 0; run < RUNS; run++) {
      bare = Math.min(bare, timeOf(['-e', '0']))
      for (const [i, [, args]] of all.entries()) {
        least[i] = Math.min(least[i] as number, timeOf([CLI, ...args]))
      }
    }
    console.log(`node -e 0: ${bare.toFixed(0)} ms`)
    for (const [i, [name]] of all.entries()) {
      console.log(`${name.padEnd(24)} ${((least[i] as number) / bare).toFixed(1)}`)
    }
  } finally {
    rmSync(work, { recursive: true })
  }
}
