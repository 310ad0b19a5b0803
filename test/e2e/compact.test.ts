import { cpSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { holder, killed } from '../support/stores.ts'
import { Blobs, dir, val, writeSqlite } from '../support/trees.ts'

const STORE = fixture('checkpoints')
const compact = (...args: string[]) => runInProcess(['content', 'compact', ...args])

describe('content compact', () => {
  it('makes a store with the same checkpoints, and says what it did', async () => {
    const output = join(scratch(), 'new.sqlite')
    const { status, stdout, stderr } = await compact('--store', STORE, output)
    expect({ status, stdout: stdout.toString() }, stderr).to.deep.equal({ status: 0, stdout: '' })
    expect(stderr).to.match(
      /^(?:flux-ts content compact: (?:looked at|copied) [\d,]+ blobs?\n)+flux-ts content compact: wrote [\d,]+ blobs and 5 checkpoints to .*new\.sqlite; [\d,]+ blobs? left behind; [\d.]+ kB instead of [\d.]+ kB\n$/,
    )
    const list = ['content', 'checkpoint', 'list', '--store']
    expect((await runInProcess([...list, output])).stdout).to.deep.equal((await runInProcess([...list, STORE])).stdout)
    expect((await runInProcess(['fsck', '--all', '-q', '--store', output])).status).to.equal(0)
  })

  it('prints nothing with --quiet, and only JSON with --json', async () => {
    const dir = scratch()
    const quiet = await compact('-q', '--store', STORE, join(dir, 'a.sqlite'))
    expect({ ...quiet, stdout: quiet.stdout.toString() }).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    const { stdout, stderr } = await compact('--json', '--store', STORE, join(dir, 'b.sqlite'))
    expect(stderr).to.equal('')
    expect(JSON.parse(stdout.toString())).to.include({
      store: join(STORE, 'content.sqlite'),
      output: join(dir, 'b.sqlite'),
      checkpointCount: 5,
      fileBytes: statSync(join(dir, 'b.sqlite')).size,
      storeBytes: statSync(join(STORE, 'content.sqlite')).size,
    })
  })

  it('says in a dry run how much would be saved', async () => {
    const { status, stdout, stderr } = await compact('--dry-run', '--keep-checkpoints', '1', '--store', STORE)
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    const lines = stdout.toString().trimEnd().split('\n')
    expect(lines.map((line) => line.split('\t')[0])).to.deep.equal([
      'objects',
      'garbage objects',
      'kept objects',
      'kept stored bytes',
      'database bytes',
      'needed bytes',
      'saved bytes',
    ])
    const [objects, garbage, kept] = lines.map((line) => Number(line.split('\t')[1]))
    expect(garbage).to.be.greaterThan(0)
    expect(objects).to.equal((garbage as number) + (kept as number))
    // The newest checkpoint alone has as many blobs as its directories and values refer to.
    const all = JSON.parse((await compact('--dry-run', '--json', '--store', STORE)).stdout.toString())
    expect(all.objectCount).to.be.greaterThan(kept as number)
  })

  it('refuses a damaged store, names the way out, and leaves nothing', async () => {
    const dir = scratch()
    const { status, stderr } = await compact('-q', '--store', fixture('damaged-dangling'), join(dir, 'new.sqlite'))
    expect(status).to.equal(1)
    expect(stderr).to.match(
      /^flux-ts content compact: \S+: checkpoint 0 \(sha1-\w+\) is not whole: .*; rescue --store \S+ --out DIR saves what can be read\n$/,
    )
    expect(readdirSync(dir)).to.deep.equal([])
  })

  it('refuses to replace a file, and to run without OUTPUT or --store', async () => {
    const dir = join(scratch(), 'state')
    mkdirSync(dir)
    cpSync(join(STORE, 'content.sqlite'), join(dir, 'content.sqlite'))
    const there = await compact('--store', dir, dir)
    expect(there.status).to.equal(1)
    expect(there.stderr).to.match(/content\.sqlite: File exists; name a new file: a compaction replaces nothing\n$/)
    expect((await compact('--store', dir)).status).to.equal(2)
    expect((await compact(join(dir, 'new.sqlite'))).status).to.equal(2)
    expect((await compact('--keep-checkpoints', '0', '--store', dir, join(dir, 'new.sqlite'))).status).to.equal(2)
    expect(readdirSync(dir)).to.deep.equal(['content.sqlite'])
  })

  it('warns of a namespace of a running job that is not whole', async () => {
    const blobs = new Blobs()
    const gone = `sha1-${'1'.repeat(40)}`
    const value = val(JSON.stringify([{ id: 99, owner: 0, kvsroot: gone }]))
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, blobs, [blobs.tree({ 'job-exec': dir({ 'kvs-namespaces': value }) })])
    const { status, stderr } = await compact('-q', '--store', path, join(scratch(), 'new.sqlite'))
    expect(status).to.equal(0)
    expect(stderr).to.equal(`flux-ts content compact: the namespace of job ƒ2i (${gone}) lacks 1 blob\n`)
  })

  it('refuses a store that a broker holds', async () => {
    const dir = scratch()
    const path = join(dir, 'content.sqlite')
    cpSync(join(STORE, 'content.sqlite'), path)
    const child = await holder(path, 'PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL')
    const { status, stderr } = await compact('--store', dir, join(scratch(), 'new.sqlite'))
    await killed(child)
    expect(status).to.equal(1)
    expect(stderr).to.match(/held by process \d+/)
  })
})
