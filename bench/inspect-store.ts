/**
 * `npm run bench -- inspect-store [--keys N] [--runs N]`: measures `jobs`, `du` and `diff` of the built CLI on a
 * generated store shaped like a job history, with two checkpoints that differ in one job. Each is compared with a walk
 * that reads everything (a `dump` to /dev/null; for `diff` two). On a machine with other load, CPU time is the better
 * number.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openStore, openStoreWriter } from '../src/content/index.ts'
import { type DirObj, dirBlob, SnapshotReader } from '../src/kvs/index.ts'
import { generateStore } from './generate-store.ts'

const CLI = fileURLToPath(new URL('../bin/run.js', import.meta.url))

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { keys: { type: 'string', default: '100000' }, runs: { type: 'string', default: '3' } },
  })
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-bench-'))
  try {
    const store = join(dir, 'content.sqlite')
    const { keys, rootref } = generateStore(store, Number(values.keys))
    await changeOne(store, rootref)
    const runs = Number(values.runs)
    const walk = best(runs, ['dump', '-q', '--store', store, '-'])
    show(`${keys} keys, read whole (dump)`, walk, walk)
    show('jobs', best(runs, ['jobs', '--store', store]), walk)
    show('jobs --json', best(runs, ['jobs', '--json', '--store', store]), walk)
    show('du -d 4', best(runs, ['du', '-d', '4', '-n', '1', '--store', store]), walk)
    const both = { wall: walk.wall * 2, cpu: walk.cpu * 2 }
    show('diff of the checkpoints (beside two walks)', best(runs, ['diff', '--store', store, '@1', '@0'], 1), both)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

export interface Cost {
  wall: number
  cpu: number
}

function show(what: string, { wall, cpu }: Cost, whole: Cost): void {
  const ratio = `${(cpu / whole.cpu).toFixed(3)} of the CPU time of the walk`
  console.log(`${what}: ${wall.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, ${ratio}`)
}

export function best(runs: number, argv: readonly string[], status = 0): Cost {
  const costs = Array.from({ length: runs }, () => once(argv, status))
  return { wall: Math.min(...costs.map(({ wall }) => wall)), cpu: Math.min(...costs.map(({ cpu }) => cpu)) }
}

function once(argv: readonly string[], expected: number): Cost {
  const started = performance.now()
  // `times` of the shell gives the CPU time of the child alone.
  const script = `"${process.execPath}" "${CLI}" ${argv.map((arg) => `"${arg}"`).join(' ')} > /dev/null; s=$?; times >&2; exit $s`
  const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
  if (status !== expected) throw new Error(`${argv.join(' ')}: exit ${status}: ${stderr}`)
  const seconds = [...(stderr.trimEnd().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  const cpu = seconds.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0)
  return { wall: (performance.now() - started) / 1000, cpu }
}

/** Add a checkpoint in which one job has one more key. */
async function changeOne(path: string, rootref: string): Promise<void> {
  const way: { name: string; dir: DirObj }[] = []
  {
    await using store = await openStore(path)
    const reader = new SnapshotReader({ store, rootref })
    for (let key = '.', at = await reader.lookup('.', 'dir'); ; ) {
      const [name, child] = Object.entries(at.data)[0] as [string, { type: string }]
      way.push({ name, dir: at })
      if (child.type !== 'dirref') break
      key = key === '.' ? name : `${key}.${name}`
      at = await reader.lookup(key, 'dir')
    }
  }
  await using writer = await openStoreWriter(path)
  let below: string | undefined
  for (const { name, dir } of way.reverse()) {
    const texts = new Map(Object.entries(dir.data).map(([entry, obj]) => [entry, JSON.stringify(obj)]))
    if (below === undefined) texts.set('note', '{"data":"eA==","type":"val","ver":1}')
    else texts.set(name, `{"data":["${below}"],"type":"dirref","ver":1}`)
    const { blobrefs, stored } = writer.storeBatch([dirBlob(texts)])
    await stored
    below = blobrefs[0] as string
  }
  await writer.commit({ rootref: below as string, sequence: 2, timestamp: Date.now() / 1000 })
}
