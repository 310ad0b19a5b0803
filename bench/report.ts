/**
 * `npm run bench -- report [--jobs N] [--runs N] [--store PATH]`: measures `report --json` of the built CLI on a store of
 * jobs, beside a listing of the same jobs, and the size of what it prints. On a machine with other load, CPU time is the
 * better number.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generateJobsStore } from './generate-jobs-store.ts'
import { least, measure } from './measure.ts'

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: { type: 'string', default: '300000' },
      runs: { type: 'string', default: '1' },
      store: { type: 'string' },
    },
  })
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-bench-'))
  try {
    const store = values.store ?? join(dir, 'content.sqlite')
    if (values.store === undefined) await generateJobsStore(store, { jobs: Number(values.jobs) })
    const best = (argv: readonly string[]) => least(Number(values.runs), () => measure(dir, argv))
    const all = best(['jobs', '--store', store])
    console.log(`jobs: ${all.wall.toFixed(2)} s, CPU ${all.cpu.toFixed(2)} s, ${all.peakMb} MB`)
    const { wall, cpu, peakMb, stdout } = best(['report', '--json', '--store', store])
    const ratio = `${(cpu / all.cpu).toFixed(2)} of the CPU time of jobs`
    console.log(`report: ${wall.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, ${ratio}, ${peakMb} MB`)
    console.log(`it prints ${JSON.stringify(JSON.parse(stdout)).length} characters of JSON`)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
