/** A store that a real Flux made and used, before and after `content compact`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { contentStats } from '../../src/inspect/index.ts'
import { scratch } from '../support/fixtures.ts'
import { fluxTs, has, runAside } from '../support/processes.ts'
import { runOnStatedir } from '../support/real-statedir.ts'

/** Makes checkpoints, and between them many roots that nothing refers to later. */
const USE = `
set -e
flux kvs mkdir empty
for round in 1 2 3 4 5; do
  for i in $(seq 1 30); do
    flux kvs put "dir.key$i=$(head -c 300 /dev/urandom | base64 -w0)"
  done
  flux run true
  flux kvs put --sync "round=$round"
done
flux kvs unlink -R dir
flux kvs put --sync round=6
`

/** What an instance does with the store that was made. */
const GO_ON = `
set -e
test "$(flux kvs get round)" = 6
test "$(flux jobs -a -n --filter=inactive | wc -l)" = 5
flux run echo it runs
flux gc
flux kvs dir empty
flux job last 6
`

const start = (statedir: string, script: string) => {
  const file = join(scratch(), 'script.sh')
  writeFileSync(file, script)
  return runAside('flux', ['start', `-Sstatedir=${statedir}`, 'sh', file])
}

const suite = () => {
  it('makes a store that an instance starts from, and whose garbage it can collect', async () => {
    const old = join(scratch(), 'old')
    const compacted = join(scratch(), 'compacted')
    for (const dir of [old, compacted]) mkdirSync(dir)
    const used = await start(old, USE)
    expect(used.status, used.stderr).to.equal(0)

    const { status, stdout, stderr } = fluxTs(['content', 'compact', '--json', '--store', old, compacted])
    expect(status, stderr).to.equal(0)
    const { objectCount, garbageObjectCount, checkpointCount } = JSON.parse(stdout.toString())
    expect(checkpointCount).to.equal(5)
    expect(garbageObjectCount).to.be.greaterThan(3 * objectCount)
    // Exactly what another program than the one that copies has found reachable, and perhaps the empty directory.
    await using before = await openStore(old)
    await using after = await openStore(compacted)
    const reachable = (await contentStats(before, { reachable: true })).marked
    const { all, garbage } = await contentStats(after, { reachable: true })
    expect(all.objects - (garbage?.objects ?? 0)).to.equal(reachable.objects)
    expect(garbage?.objects).to.be.at.most(1)
    expect(all.storedBytes - (garbage?.storedBytes ?? 0)).to.equal(reachable.storedBytes)
    expect(fluxTs(['fsck', '--all', '-q', '--store', compacted]).status).to.equal(0)

    const list = ['content', 'checkpoint', 'list']
    const [theirs, ours] = [await runOnStatedir(old, 'flux', list), await runOnStatedir(compacted, 'flux', list)]
    expect(ours.stdout.toString()).to.equal(theirs.stdout.toString()).and.match(/^4 /m)
    const checked = await runOnStatedir(compacted, 'flux', ['fsck'])
    expect(checked.status, checked.stderr).to.equal(0)

    const went = await start(compacted, GO_ON)
    expect(went.status, went.stderr + went.stdout).to.equal(0)
    expect(went.stdout.toString()).to.include('it runs\n')
    expect((await runOnStatedir(compacted, 'flux', ['fsck'])).status).to.equal(0)
    expect(fluxTs(['fsck', '--all', '-q', '--store', compacted]).status).to.equal(0)
  })
}

if (has('flux')) describe('conformance: content compact', suite)
