import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { BrokerDouble } from '../support/broker-double.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { CLI, cleanEnv, fluxTsAside } from '../support/processes.ts'
import { damagePage } from '../support/stores.ts'
import { Blobs, dir, val, valref, writeSqlite } from '../support/trees.ts'

function storeOf(blobs: Blobs, roots: string[]): string {
  const path = join(scratch(), 'content.sqlite')
  writeSqlite(path, blobs, roots)
  return path
}

describe('content', () => {
  it('loads blobs by name and from standard input, in order, as they are', async () => {
    const blobs = new Blobs()
    const bytes = Buffer.from([0, 255, 10, 0, 128])
    const refs = [blobs.store(bytes), blobs.store(''), blobs.store('large '.repeat(40_000)), blobs.store('end')]
    const path = storeOf(blobs, [])
    const whole = Buffer.concat(refs.map((blobref) => blobs.get(blobref) as Uint8Array))
    const named = await runInProcess(['content', 'load', ...refs, '--store', path])
    expect(named).to.deep.equal({ status: 0, stdout: whole, stderr: '' })
    const load = (input: string) =>
      spawnSync(process.execPath, [CLI, 'content', 'load', '--store', path], { input, env: cleanEnv() })
    expect(load(`${refs.join('\n')}\n`).stdout.equals(whole)).to.equal(true)
    const many = Array.from({ length: 700 }, (_, i) => refs[i % 2] as string)
    expect(load(many.join('\n')).stdout.length).to.equal(350 * bytes.length)
    const none = load('')
    expect(none.status).to.equal(2)
    expect(none.stderr.toString()).to.match(/^flux-ts content load: no blobrefs were specified; /)
  })

  it('loads blobs as JSON, and says as JSON that one is not there', async () => {
    const { rootref } = expected('jobs')
    const args = ['content', 'load', '--json', '--store', fixture('jobs')]
    const whole = await runInProcess(['content', 'load', '--store', fixture('jobs'), rootref])
    const { blobs } = JSON.parse((await runInProcess([...args, rootref, rootref])).stdout.toString())
    const one = { blobref: rootref, size: whole.stdout.length, base64: whole.stdout.toString('base64') }
    expect(blobs).to.deep.equal([one, one])
    const { status, stdout, stderr } = await runInProcess([...args, `sha1-${'0'.repeat(40)}`])
    expect({ status, stderr, code: JSON.parse(stdout.toString()).error.code }).to.deep.equal({
      status: 1,
      stderr: '',
      code: 'ENOENT',
    })
  })

  it('prints what comes before a blob that is not there', async () => {
    const blobs = new Blobs()
    const [first, last] = [blobs.store('first'), blobs.store('last')]
    const missing = `sha1-${'0'.repeat(40)}`
    const path = storeOf(blobs, [])
    const { status, stdout, stderr } = await runInProcess(['content', 'load', first, missing, last, '--store', path])
    expect({ status, stdout: stdout.toString() }).to.deep.equal({ status: 1, stdout: 'first' })
    expect(stderr).to.equal(`flux-ts content load: error loading blob: No such file or directory (${missing})\n`)
  })

  it('lists checkpoints of a store, a live instance and an archive', async () => {
    const { checkpoints } = expected('checkpoints')
    const list = ['content', 'checkpoint', 'list', '-j']
    const wanted = checkpoints.map(({ rootref, sequence, timestamp }) => ({ version: 1, rootref, sequence, timestamp }))
    const parse = (stdout: Buffer) =>
      stdout
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    expect(parse((await runInProcess([...list, '--store', fixture('checkpoints')])).stdout)).to.deep.equal(wanted)
    await using broker = await BrokerDouble.start({ content: fixture('checkpoints', 'content.sqlite') })
    expect(parse((await fluxTsAside([...list, '--uri', broker.uri])).stdout)).to.deep.equal(wanted)
    const archive = await runInProcess([...list, '--archive', fixture('checkpoints', 'dump-0.tar')])
    expect(parse(archive.stdout)).to.have.length(1)
    const whole = storeOf(new Blobs(), [new Blobs().tree({})])
    const asOne = await runInProcess(['content', 'checkpoint', 'list', '--json', '--store', fixture('checkpoints')])
    expect(JSON.parse(asOne.stdout.toString())).to.deep.equal({
      checkpoints: checkpoints.map(({ rootref, sequence, timestamp }, checkpointIndex) => ({
        checkpointIndex,
        rootref,
        sequence,
        timestamp,
        time: new Date(Math.floor(timestamp) * 1000).toISOString().replace('.000', ''),
      })),
    })
    expect((await runInProcess([...list, '--store', whole])).stdout.toString()).to.match(
      /"timestamp":1700000000\.5\}\n$/,
    )
    const empty = await runInProcess(['content', 'checkpoint', 'list', '--store', storeOf(new Blobs(), [])])
    expect(empty.status).to.equal(1)
    expect(empty.stdout.toString()).to.equal('Index      Sequence   Time                 Rootref\n')
  })

  it('tells how much is in a store, and how much of it is garbage, over all checkpoints', async () => {
    const blobs = new Blobs()
    const small = 'x'.repeat(100)
    const shared = dir({ shared: valref('shared'.repeat(100), small) })
    const roots = [
      { a: valref(small), shared },
      { b: valref('b'), shared },
    ].map((entries) => blobs.tree(entries))
    const reachable = blobs.size
    const reachableBytes = [...blobs.values()].reduce((sum, { length }) => sum + length, 0)
    blobs.tree({ gone: dir({ v: valref('garbage'), w: val('') }) })
    const bytes = [...blobs.values()].reduce((sum, { length }) => sum + length, 0)
    const path = storeOf(blobs, roots)
    const stats = async (...args: string[]) =>
      JSON.parse((await runInProcess(['content', 'stats', '--json', ...args])).stdout.toString())
    const plain = await stats('--store', path)
    expect(plain).to.include({ objectCount: blobs.size, objectBytes: bytes, unreadableCount: 0 })
    expect(plain.compressedCount).to.be.greaterThan(0).and.lessThan(blobs.size)
    expect(plain.storedBytes).to.be.lessThan(bytes)
    expect(plain.fileBytes).to.be.greaterThan(plain.storedBytes)
    const { reachable: alive, garbage } = await stats('--reachable', '--store', path)
    expect(alive).to.include({ objectCount: reachable, objectBytes: reachableBytes })
    expect(garbage).to.include({ objectCount: blobs.size - reachable, objectBytes: bytes - reachableBytes })
    const text = (await runInProcess(['content', 'stats', '--store', path])).stdout.toString()
    expect(text.split('\n')[0]).to.equal(`objects\t${blobs.size}`)
  })

  it('says what stats could not read, and fails', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: dir({ b: valref('below') }), c: valref('beside') })
    const many = Array.from({ length: 500 }, (_, i) => `blob ${i} `.padEnd(150, 'x'))
    for (const text of many) blobs.store(text)
    const path = storeOf(blobs, [rootref])
    const intact = await runInProcess(['content', 'stats', '--reachable', '--store', path])
    expect({ status: intact.status, stderr: intact.stderr }).to.deep.equal({
      status: 0,
      stderr: `flux-ts content stats: ${path}: no checkpoint reaches most of it: content roots --store ${path} lists the roots that it has\n`,
    })
    damagePage(path, 'table', Buffer.from('blob 300 '))
    const damaged = await runInProcess(['content', 'stats', '--store', path])
    const [, count] = /^unreadable objects\t(\d+)$/m.exec(damaged.stdout.toString()) ?? []
    expect(Number(count)).to.be.within(10, 30)
    expect({ status: damaged.status, stderr: damaged.stderr }).to.deep.equal({
      status: 1,
      stderr: `flux-ts content stats: ${path}: ${count} objects could not be read, and are not counted\n`,
    })
  })

  it('says which directories stats could not read, and fails', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: dir({ b: valref('below') }), c: valref('beside') })
    blobs.delete(new Blobs().tree({ b: valref('below') }))
    const path = storeOf(blobs, [rootref])
    const { status, stderr } = await runInProcess(['content', 'stats', '--reachable', '--store', path])
    expect({ status, stderr }).to.deep.equal({
      status: 1,
      stderr: `flux-ts content stats: ${path}: 1 directory could not be read: what only it leads to is counted as garbage\n`,
    })
  })

  it('tells what a live instance says of its content', async () => {
    await using broker = await BrokerDouble.start({})
    const { stdout } = await fluxTsAside(['content', 'stats', '--uri', broker.uri])
    expect(stdout.toString()).to.equal(
      'cache objects\t3\ncache valid\t2\ncache dirty\t1\ncache bytes\t300\nobjects\t7\ndatabase bytes\t4096\n',
    )
    const { status, stderr } = await fluxTsAside(['content', 'stats', '--reachable', '--uri', broker.uri])
    expect(status).to.equal(2)
    expect(stderr).to.include('--reachable needs a store on disk; stop the instance, and give --store\n')
  })

  it('validates all blobs of a store, or those that are named, and names each that is damaged', async () => {
    const blobs = new Blobs()
    const refs = Array.from({ length: 1200 }, (_, i) => blobs.store(`blob ${i}`))
    const path = storeOf(blobs, [])
    const altered = refs[700] as string
    const validate = (...args: string[]) => runInProcess(['content', 'validate', ...args])
    expect(await validate('--store', path)).to.deep.include({ status: 0, stdout: Buffer.alloc(0) })
    const db = new DatabaseSync(path)
    const alter = db.prepare(`UPDATE objects SET object = x'00' WHERE hash = CAST(? AS TEXT)`)
    alter.run(Buffer.from(altered.slice(5), 'hex'))
    db.close()
    const all = await validate('--store', path)
    expect(all).to.deep.include({ status: 1, stdout: Buffer.from(`${altered} altered\n`) })
    expect(all.stderr).to.equal('flux-ts content validate: 1200 blobs looked at, 1 damaged\n')
    const missing = `sha1-${'0'.repeat(40)}`
    const some = JSON.parse(
      (await validate('--json', refs[0] as string, missing, altered, '--store', path)).stdout.toString(),
    )
    expect(some.checkedCount).to.equal(3)
    expect(some.damaged.map(({ blobref, code }: { blobref: string; code: string }) => [blobref, code])).to.deep.equal([
      [missing, 'ENOENT'],
      [altered, 'EBADMSG'],
    ])
    expect((await validate('bogus', '--store', path)).status).to.equal(1)
    for (const words of [
      ['-', missing],
      [missing, '-'],
      ['-', '-'],
    ]) {
      const { status, stdout, stderr } = await validate(...words, '--store', path)
      expect({ status, stdout: stdout.toString() }, words.join(' ')).to.deep.equal({ status: 2, stdout: '' })
      expect(stderr).to.match(/^flux-ts content validate: - does not go with another BLOBREF; [^\n]*\nUsage: /)
    }
    await using broker = await BrokerDouble.start({
      content: new Map([[(refs[0] as string).slice(5), Buffer.from('blob 0')]]),
    })
    const live = (...args: string[]) => fluxTsAside(['content', 'validate', '--uri', broker.uri, ...args])
    expect((await live(refs[0] as string)).status).to.equal(0)
    expect((await live(missing)).stdout.toString()).to.equal(`${missing} missing\n`)
    expect((await live()).stderr).to.match(/does not list its blobs; name the blobs to check/)
  })
})
