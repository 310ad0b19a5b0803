/**
 * `npm run bench -- inspect-store [--keys N] [--runs N]`: measures `jobs`, `du` and `diff` of the built CLI on a
 * generated store shaped like a job history, with two checkpoints that differ in one job. Each is compared with a walk
 * that reads everything (a `dump` to /dev/null; for `diff` two). On a machine with other load, CPU time is the better
 * number.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openStore, openStoreWriter } from '../src/content/index.ts'
import { type DirObj, dirBlob, SnapshotReader } from '../src/kvs/index.ts'
import { generateStore } from './generate-store.ts'
import { type Cost, least, measure } from './measure.ts'

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
    const cost = (argv: readonly string[], status = 0) => least(runs, () => measure(dir, argv, status))
    const walk = cost(['dump', '-q', '--store', store, '/dev/null', '--format', 'tar'])
    show(`${keys} keys, read whole (dump)`, walk, walk)
    show('jobs', cost(['jobs', '--store', store]), walk)
    show('jobs --json', cost(['jobs', '--json', '--store', store]), walk)
    show('du -d 4', cost(['du', '-d', '4', '-n', '1', '--store', store]), walk)
    const both = { cpu: walk.cpu * 2 }
    show('diff of the checkpoints (beside two walks)', cost(['diff', '--store', store, '@1', '@0'], 1), both)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function show(what: string, { wall, cpu }: Pick<Cost, 'wall' | 'cpu'>, whole: Pick<Cost, 'cpu'>): void {
  const ratio = `${(cpu / whole.cpu).toFixed(3)} of the CPU time of the walk`
  console.log(`${what}: ${wall.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, ${ratio}`)
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
