/** Runs the built CLI, and measures what it takes. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const CLI = fileURLToPath(new URL('../bin/run.js', import.meta.url))

/** What a command takes. Its threads are included. */
export interface Cost {
  /** Seconds. */
  wall: number
  /** Processor time in seconds, of user and system. */
  cpu: number
  /** Peak memory in megabytes. */
  peakMb: number
  stdout: string
}

// The process writes its own peak memory when it ends. getrusage(2) would include the parent's peak before exec.
const PROBE = `import { readFileSync, writeFileSync } from 'node:fs'
const peakKb = () => {
  try { return Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) }
  catch { return process.resourceUsage().maxRSS }
}
process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  writeFileSync(process.env.BENCH_COST, JSON.stringify({ cpu: (user + system) / 1e6, peakMb: Math.round(peakKb() / 1024) }))
})
`

/**
 * Run a command.
 *
 * @param dir - a directory for temporary files
 * @param status - the exit status that it must have
 */
export function measure(dir: string, argv: readonly string[], status = 0): Cost {
  const probe = join(dir, 'probe.mjs')
  writeFileSync(probe, PROBE)
  const env = { ...process.env, BENCH_COST: join(dir, 'cost') }
  const started = performance.now()
  const result = spawnSync(process.execPath, ['--import', pathToFileURL(probe).href, CLI, ...argv], {
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  const wall = (performance.now() - started) / 1000
  if (result.status !== status) throw new Error(`${argv.join(' ')}: exit ${result.status}: ${result.stderr}`)
  const { cpu, peakMb } = JSON.parse(readFileSync(env.BENCH_COST, 'utf8')) as Pick<Cost, 'cpu' | 'peakMb'>
  return { wall, cpu, peakMb, stdout: result.stdout }
}

/** The least of each of several runs. */
export function least(runs: number, once: () => Cost): Cost {
  const costs = Array.from({ length: runs }, once)
  return {
    wall: Math.min(...costs.map(({ wall }) => wall)),
    cpu: Math.min(...costs.map(({ cpu }) => cpu)),
    peakMb: Math.min(...costs.map(({ peakMb }) => peakMb)),
    stdout: costs[0]?.stdout ?? '',
  }
}
