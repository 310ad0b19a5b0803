/**
 * How long short commands take, as whole processes, in ratio to `node -e 0`: what scripts call by the hundred. It prints the
 * least of some runs of each, which a busy machine moves least. `npm run bench -- start`
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
  'kvs get': ['kvs', 'get', 'resource.R', '--store', STORE],
  'kvs ls': ['kvs', 'ls', '--store', STORE],
  jobs: ['jobs', '--store', STORE, '--json'],
  'key completion': ['__complete', 'kvs', 'get', '--store', STORE, 'res'],
  'dump of a small store': ['dump', '-q', '--store', STORE, join(work, 'x.tar')],
})

/** @returns milliseconds, the least of {@link RUNS} */
function least(args: readonly string[]): number {
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now()
    const { status, stderr } = spawnSync(process.execPath, args)
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
    best = Math.min(best, performance.now() - began)
  }
  return best
}

export async function run(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'flux-ts-bench-'))
  try {
    const bare = least(['-e', '0'])
    console.log(`node -e 0: ${bare.toFixed(0)} ms`)
    for (const [name, args] of Object.entries(commands(work))) {
      console.log(`${name.padEnd(24)} ${(least([CLI, ...args]) / bare).toFixed(1)}`)
    }
  } finally {
    rmSync(work, { recursive: true })
  }
}
