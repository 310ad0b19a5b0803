import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { BrokerDouble } from '../support/broker-double.ts'
import { copyOf, fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { fluxTs, fluxTsAside } from '../support/processes.ts'
import { contents, damagePage } from '../support/stores.ts'
import { Blobs, dir, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

const LOST = 'lost '.repeat(20)

/** A store some of whose values have lost a blob; older roots are sound. */
function damagedStore(
  entries: Record<string, Tree>,
  older: Record<string, Tree>[] = [],
  path = join(scratch(), 'content.sqlite'),
): { path: string; rootref: string; blobs: Blobs } {
  const blobs = new Blobs()
  const roots = [entries, ...older].map((tree) => blobs.tree(tree))
  blobs.delete(new Blobs().store(LOST))
  writeSqlite(path, blobs, roots)
  return { path, rootref: roots[0] as string, blobs }
}

async function checkpointsOf(path: string) {
  await using store = await openStore(path)
  return store.checkpoints()
}

describe('fsck', () => {
  const dangling = JSON.parse(readFileSync(fixture('damaged-dangling', 'expected.json'), 'utf8')) as {
    fsck: { rc: number; stderr: string[] }
  }

  it('says of a damaged store what flux fsck said of it, and leaves it as it is', () => {
    const before = contents(fixture('damaged-dangling'))
    const { status, stdout, stderr } = fluxTs(['fsck', '--store', fixture('damaged-dangling')])
    expect(stdout.toString().split('\n')).to.deep.equal([
      'Checking integrity of checkpoint from 2026-11-23T17:57:02',
      'checkpoint 0 of 2026-11-23T17:57:02Z: 3 errors; looked at 5 directories, 6 values, 0 links, 10 blobs',
      'no other checkpoint is intact',
      'what can be read of checkpoint 0 of 2026-11-23T17:57:02Z: dump it with --checkpoint-index 0 --ignore-failed-read',
      'a new checkpoint without what is missing: fsck --repair',
      '',
    ])
    expect(stderr).to.equal(dangling.fsck.stderr.map((line) => `${line}\n`).join(''))
    expect(status).to.equal(dangling.fsck.rc)
    expect(contents(fixture('damaged-dangling'))).to.deep.equal(before)
  })

  it('finds nothing wrong with sound stores, archives and old layouts', async () => {
    for (const source of [
      ['--store', fixture('jobs')],
      ['--store', fixture('files')],
      ['--store', fixture('old-schema')],
      ['--store', fixture('sha256')],
      ['--archive', fixture('jobs', 'dump.tgz')],
    ]) {
      const { status, stderr } = await runInProcess(['fsck', '--all', ...source])
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    }
  })

  it('says when all is well, and how much was looked at, except with --quiet', async () => {
    const { path, rootref } = damagedStore({ a: dir({ b: valref('x', 'y'), c: val('1') }) })
    const fsck = async (...args: string[]) => {
      const { status, stdout, stderr } = await runInProcess(['fsck', '--store', path, ...args])
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      return stdout.toString()
    }
    const checking = 'Checking integrity of checkpoint from 2023-11-14T22:13:20\n'
    const counts = 'intact; looked at 2 directories, 2 values, 0 links, 4 blobs\n'
    expect(await fsck()).to.equal(`${checking}checkpoint 0 of 2023-11-14T22:13:20Z: ${counts}`)
    expect(await fsck('--quiet')).to.equal(checking)
    for (const flag of ['--root', '--rootref']) expect(await fsck(flag, rootref)).to.equal(`${rootref}: ${counts}`)
    const { intact } = JSON.parse(await fsck('--json'))
    const time = '2023-11-14T22:13:20Z'
    expect(intact).to.deep.equal({ rootref, checkpointIndex: 0, sequence: 1, timestamp: 1_700_000_000.5, time })
  })

  it('keeps each key on its line, so that nobody who names one forges another', async () => {
    const { path } = damagedStore({ 'a\nflux-fsck: Total errors: 0\u009b2J': valref(LOST) })
    for (const args of [[], ['-v'], ['--repair']]) {
      const { stderr } = await runInProcess(['fsck', '--store', path, ...args])
      expect(stderr).to.include('flux-fsck: a\\nflux-fsck: Total errors: 0\\x9b2J: missing blobref')
      expect(stderr).not.to.match(/^flux-fsck: Total errors: 0/m)
    }
  })

  it('names a root that is damaged, and has nothing to repair it from', async () => {
    const { path, rootref } = damagedStore({})
    const db = new DatabaseSync(path)
    db.exec('DELETE FROM objects')
    db.close()
    const { status, stdout, stderr } = await runInProcess(['fsck', '--store', path])
    expect(status).to.equal(1)
    expect(stderr).to.equal('flux-fsck: .: missing dirref blobref\nflux-fsck: Total errors: 1\n')
    expect(stdout.toString()).to.include('so nothing can be dumped or repaired from there\n')
    const repair = await runInProcess(['fsck', '-R', '--store', path])
    expect(repair).to.include({ status: 1 })
    expect((await checkpointsOf(path))[0]?.rootref).to.equal(rootref)
  })

  it('exits with 1 after a repair, as flux fsck does, and says that nothing is left', async () => {
    const { path } = damagedStore({ a: valref('x', LOST) })
    const { status, stdout } = await runInProcess(['fsck', '--repair', '--store', path])
    expect(status).to.equal(1)
    expect(stdout.toString()).to.include('all of it is repaired in the new checkpoint; the exit status is 1')
    expect((await runInProcess(['fsck', '--repair', '--store', path])).status).to.equal(0)
  })

  it('names the newest checkpoint that is intact, except with --quiet', async () => {
    const { path } = damagedStore({ a: valref(LOST) }, [{ b: valref('x', LOST) }, { c: val('1') }])
    const { stdout, status } = await runInProcess(['fsck', '--store', path])
    expect(stdout.toString().split('\n')[2]).to.equal(
      'checkpoint 2 of 2023-11-14T22:13:20Z is intact: dump it with --checkpoint-index 2',
    )
    expect(status).to.equal(1)
    expect((await runInProcess(['fsck', '-q', '--store', path])).stdout.toString().trim().split('\n')).to.have.length(1)
    const all = await runInProcess(['fsck', '--all', '--store', path])
    expect(all.stderr).to.equal(
      'flux-fsck: a: missing blobref(s)\nflux-fsck: b: missing blobref(s)\nflux-fsck: Total errors: 2\n',
    )
    const third = await runInProcess(['fsck', '--checkpoint-index', '2', '--store', path])
    expect(third.status).to.equal(0)
  })

  it('prints everything as one object with --json', async () => {
    const { path, rootref } = damagedStore({ a: dir({ b: valref('x', LOST) }) }, [{}])
    const { stdout, status } = await runInProcess(['fsck', '--json', '--repair', '--store', path])
    expect(status).to.equal(1)
    const { checked, intact, errorCount, repair } = JSON.parse(stdout.toString())
    expect(errorCount).to.equal(1)
    expect(checked).to.have.length(1)
    expect(checked[0]).to.include({
      rootref,
      checkpointIndex: 0,
      sequence: 2,
      directoryCount: 2,
      valueCount: 1,
      errorCount: 1,
    })
    expect(checked[0].damages[0]).to.deep.include({ key: 'a.b', kind: 'missing-value' })
    expect(checked[0].damages[0].blobs[0]).to.include({ index: 1, blobref: new Blobs().store(LOST), code: 'ENOENT' })
    expect(intact).to.include({ checkpointIndex: 1, rootref: new Blobs().tree({}) })
    expect(repair).to.deep.include({ repairedCount: 1, unlinkedCount: 0, jobs: [] })
    expect(repair.checkpoint.sequence).to.equal(3)
  })

  it('finds altered blobs, which flux fsck does not look for, and drops them from values only if told to', async () => {
    const { path, rootref, blobs } = damagedStore({ a: valref('sound', 'bits'), b: dir({ c: val('1') }) })
    const db = new DatabaseSync(path)
    const alter = db.prepare('UPDATE objects SET object = ? WHERE hash = CAST(? AS TEXT)')
    alter.run(Buffer.from('stib'), Buffer.from(blobs.store('bits').slice(5), 'hex'))
    db.close()
    const wrong = 'flux-fsck: a: altered blobref(s)\nflux-fsck: Total errors: 1\n'
    expect((await runInProcess(['fsck', '--store', path])).stderr).to.equal(wrong)
    expect((await runInProcess(['fsck', '--no-verify', '--store', path])).status).to.equal(0)
    const left = await runInProcess(['fsck', '-R', '--store', path])
    expect(left.stderr).to.equal(wrong)
    expect((await checkpointsOf(path))[0]?.rootref).to.equal(rootref)
    const dropped = await runInProcess(['fsck', '-R', '--drop-damaged', '--store', path])
    expect(dropped.stderr).to.include('flux-fsck: a repaired and moved to lost+found\n')
    expect((await checkpointsOf(path))[0]?.rootref).to.equal(
      new Blobs().tree({ b: dir({ c: val('1') }), 'lost+found': dir({ a: valref('sound') }) }),
    )
    expect((await runInProcess(['fsck', '--store', path])).status).to.equal(0)
  })

  it('goes on past damaged pages, and names each key that is hit', async () => {
    const keys = Array.from({ length: 2000 }, (_, i) => `key${String(i).padStart(4, '0')}`)
    const { path } = damagedStore(Object.fromEntries(keys.map((key) => [key, valref(`value of ${key} `.repeat(10))])))
    expect(damagePage(path, 'table', Buffer.from('value of key1000 '))).to.equal(1)
    const { status, stderr } = await runInProcess(['fsck', '--store', path])
    expect(status).to.equal(1)
    const lines = stderr.trim().split('\n')
    expect(lines).to.include('flux-fsck: key1000: error retrieving blobref(s): Input/output error')
    expect(lines.at(-1)).to.equal(`flux-fsck: Total errors: ${lines.length - 1}`)
    expect(lines).to.have.length.within(5, 50)
  })

  it('takes all that has to do with repair on a store of files', async () => {
    const path = copyOf('files', 'content.files')
    const { rootref, sequence } = JSON.parse(readFileSync(join(path, 'kvs-primary'), 'utf8'))
    const blobs = new Blobs()
    const damaged = blobs.tree({ a: valref('x', LOST) })
    for (const [blobref, blob] of blobs) if (blob.toString() !== LOST) writeFileSync(join(path, blobref), blob)
    const { status } = await runInProcess(['fsck', '--repair', '--rootref', damaged, '--store', path])
    expect(status).to.equal(1)
    const [checkpoint] = await checkpointsOf(path)
    expect(checkpoint?.rootref).to.equal(new Blobs().tree({ 'lost+found': dir({ a: valref('x') }) }))
    expect(checkpoint?.rootref).not.to.equal(rootref)
    expect(checkpoint?.sequence).to.equal(sequence + 1)
  })

  it('refuses what cannot be repaired or is no blobref, in a line', async () => {
    const archive = fixture('basic', 'dump.tar')
    const wrong = await runInProcess(['fsck', '--repair', '--archive', archive])
    expect({ status: wrong.status, line: wrong.stderr.split('\n')[0] }).to.deep.equal({
      status: 2,
      line: 'flux-ts fsck: an archive cannot be repaired; restore it to a store, and repair that with --store',
    })
    const bad = await runInProcess(['fsck', '--rootref', 'bogus', '--store', fixture('basic')])
    expect({ status: bad.status, line: bad.stderr.split('\n')[0] }).to.deep.equal({
      status: 2,
      line: 'flux-ts fsck: --rootref bogus: not a blobref; it looks like sha1- and 40 lower-case hex digits',
    })
  })

  it('checks and repairs a live instance by its backing store, once the KVS is unloaded', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: valref('x', LOST), b: valref('altered') })
    blobs.delete(new Blobs().store(LOST))
    blobs.set(new Blobs().store('altered'), Buffer.from('deretla'))
    const unloaded: string[] = []
    await using broker = await BrokerDouble.start({
      content: new Map([...blobs].map(([blobref, blob]) => [blobref.slice(5), blob])),
      checkpoints: [{ version: 1, rootref, sequence: 7, timestamp: 1_700_000_000.5 }],
      namespaces: { primary: { rootref } },
      unloaded,
    })
    const cli = (...args: string[]) => fluxTsAside(['fsck', ...args], { FLUX_URI: broker.uri })
    expect((await cli()).stderr).to.equal(
      'flux-fsck: a: missing blobref(s)\nflux-fsck: b: altered blobref(s)\nflux-fsck: Total errors: 2\n',
    )
    expect((await cli('--no-verify')).stderr).to.equal('flux-fsck: a: missing blobref(s)\nflux-fsck: Total errors: 1\n')
    expect(await cli('--repair', '--job-aware', '--quiet')).to.include({
      status: 1,
      stderr: 'flux-ts fsck: please unload kvs module before using flux-fsck --repair\n',
    })
    unloaded.push('kvs')
    const repaired = await cli('--repair', '--job-aware', '--quiet', '--no-verify')
    expect(repaired.stderr).to.equal(
      'flux-fsck: a: missing blobref(s)\nflux-fsck: Total errors: 1\nflux-fsck: Total repairs: 1\n',
    )
    expect(repaired.status).to.equal(1)
    const listed = await fluxTsAside(['content', 'checkpoint', 'list', '-nj'], { FLUX_URI: broker.uri })
    const [newest] = listed.stdout.toString().split('\n')
    const wanted = new Blobs().tree({ b: valref('altered'), 'lost+found': dir({ a: valref('x') }) })
    expect(JSON.parse(newest as string)).to.include({ rootref: wanted, sequence: 8 })
  })
})

function _copyOfStore(path: string): string {
  const dir = join(scratch(), 'state')
  mkdirSync(dir)
  cpSync(path, join(dir, 'content.sqlite'))
  return dir
}
