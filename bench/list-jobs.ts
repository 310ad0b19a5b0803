/**
 * `npm run bench -- list-jobs [--jobs N] [--runs N] [--restored]`: measures `jobs` of the built CLI, with the options
 * that select jobs, on a generated store. Each is compared with a listing of all jobs. On a machine with other load, CPU
 * time is the better number.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generateJobsStore } from './generate-jobs-store.ts'
import { least, measure } from './measure.ts'

const SELECTIONS: readonly (readonly string[])[] = [
  ['-c', '100'],
  ['-f', 'running'],
  ['-f', 'failed'],
  ['--since', '2026-09-30'],
  ['-u', '5020'],
  ['-i', 'node0100'],
  ['-q', 'debug'],
  ['--stats-only'],
  ['--json'],
]

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: { type: 'string', default: '30000' },
      runs: { type: 'string', default: '3' },
      restored: { type: 'boolean', default: false },
    },
  })
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-bench-'))
  try {
    const store = join(dir, 'content.sqlite')
    await generateJobsStore(store, { jobs: Number(values.jobs), restored: values.restored })
    const best = (argv: readonly string[], status = 0) => least(Number(values.runs), () => measure(dir, argv, status))
    const all = best(['jobs', '--store', store])
    console.log(`jobs of ${values.jobs}: ${all.wall.toFixed(2)} s, CPU ${all.cpu.toFixed(2)} s`)
    for (const options of SELECTIONS) {
      const { wall, cpu } = best(['jobs', '--store', store, ...options])
      const ratio = `${(cpu / all.cpu).toFixed(2)} of its CPU time`
      console.log(`${options.join(' ')}: ${wall.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, ${ratio}`)
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
