/**
 * `npm run bench -- write-store [--keys N] [--runs N]`: measures what writes a new store, and `content roots`, which looks
 * for what rescue starts from, with the built CLI on a generated store shaped like a job history. Each is compared, in the
 * same run, with commands that read as much: `restore` with `content validate` of what it wrote, `content compact` with a dump
 * and a restore, `content roots` with `content validate`, `rescue` with a dump. On a machine with other load, CPU time is the
 * better number.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generateStore } from './generate-store.ts'
import { type Cost, least, measure } from './measure.ts'

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { keys: { type: 'string', default: '100000' }, runs: { type: 'string', default: '3' } },
  })
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-bench-'))
  const runs = Number(values.runs)
  /** Run a command. @param made - what it writes, removed before each run */
  const cost = (made: string | undefined, ...argv: string[]) =>
    least(runs, () => {
      if (made !== undefined) rmSync(made, { recursive: true, force: true })
      return measure(dir, argv)
    })
  try {
    // In a directory of its own: rescue writes nothing beside the store.
    const store = join(mkdtempSync(join(dir, 'store-')), 'content.sqlite')
    const { keys, objects } = generateStore(store, Number(values.keys))
    const [archive, restored, compacted, rescued] = ['kvs.tar', 'restored.sqlite', 'compact.sqlite', 'rescued'].map(
      (name) => join(dir, name),
    ) as [string, string, string, string]
    console.log(`${keys} keys in ${objects} objects; the least of ${runs} runs`)
    const validate = show('content validate', cost(undefined, 'content', 'validate', '--store', store))
    const dump = show('dump', cost(archive, 'dump', '--quiet', '--store', store, archive))
    const restore = show('restore', cost(restored, 'restore', '--quiet', '--store', restored, archive), validate)
    const both = { ...dump, cpu: dump.cpu + restore.cpu, wall: dump.wall + restore.wall }
    both.peakMb = Math.max(dump.peakMb, restore.peakMb)
    const compact = ['content', 'compact', '--quiet', '--store', store, compacted]
    show('content compact', cost(compacted, ...compact), both)
    show('content compact --no-verify', cost(compacted, ...compact, '--no-verify'), both)
    show('content roots', cost(undefined, 'content', 'roots', '--store', store), validate)
    show('rescue', cost(rescued, 'rescue', '--quiet', '--store', store, '--out', rescued), dump)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Print a cost, and its ratio to that of other commands. */
function show(what: string, cost: Cost, beside?: Cost): Cost {
  const ratios = (['cpu', 'wall', 'peakMb'] as const).map((key) => (beside ? cost[key] / beside[key] : 1).toFixed(2))
  const [cpu, wall, peak] = ratios
  const figures = `CPU ${cost.cpu.toFixed(2)} s (${cpu}), ${cost.wall.toFixed(2)} s (${wall}), peak ${cost.peakMb} MB (${peak})`
  console.log(`${what}: ${figures}`)
  return cost
}
