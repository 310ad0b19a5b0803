import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { type OpenStoreOptions, openStore } from '../../../src/content/index.ts'
import type { FluxError } from '../../../src/errors/index.ts'
import {
  checkTree,
  type FindRootsOptions,
  type FoundRoot,
  type FoundRoots,
  findRoots,
} from '../../../src/inspect/index.ts'
import { fixture } from '../../support/fixtures.ts'
import { damagePage } from '../../support/stores.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref, writeSqlite } from '../../support/trees.ts'

const event = (timestamp: number, name = 'event') => `{"timestamp":${timestamp},"name":"${name}"}\n`

/** The directory of a job with an eventlog of two blobs. */
const job = (id: number, timestamp = 1000 + id): Tree =>
  dir({
    J: valref(`signed ${id}`),
    R: valref(`R ${id}`),
    eventlog: valref(event(timestamp - 1, `submit ${id}`), event(timestamp, `clean ${id}`)),
    jobspec: val('{}'),
  })

/** A tree of a primary namespace with some jobs. */
const primary = (jobs: readonly number[], more: Record<string, Tree> = {}): Record<string, Tree> => ({
  admin: dir({ eventlog: val(event(5)) }),
  job: dir({
    '0000': dir({
      '0001': dir({
        '0a0b': dir(Object.fromEntries(jobs.map((id) => [id.toString(16).padStart(4, '0'), job(id)]))),
      }),
    }),
  }),
  resource: dir({ R: val('{}'), eventlog: valref(event(6, 'resource-init')) }),
  ...more,
})

const guest = (text: string): Record<string, Tree> => ({
  exec: dir({ eventlog: valref(event(2000, text)) }),
  input: val(event(2001)),
  output: val(event(9999, 'not the name of an eventlog')),
})

describe('inspect/roots', () => {
  let work: string
  before(() => {
    work = mkdtempSync(join(tmpdir(), 'flux-ts-roots-'))
  })
  after(() => rmSync(work, { recursive: true, force: true }))

  let made = 0
  const newPath = () => join(work, `${made++}.sqlite`)

  async function rootsAt(path: string, options: FindRootsOptions & OpenStoreOptions = {}): Promise<FoundRoots> {
    await using store = await openStore(path, options)
    return await findRoots(store, options)
  }

  async function rootsOf(
    blobs: Blobs,
    checkpoints: readonly string[] = [],
    options: FindRootsOptions = {},
  ): Promise<FoundRoots> {
    const path = newPath()
    writeSqlite(path, blobs, checkpoints)
    return rootsAt(path, options)
  }

  const refs = ({ roots }: FoundRoots) => roots.map(({ rootref }) => rootref)

  it('lists the roots that nothing refers to: of the primary namespace first, the newest first', async () => {
    const blobs = new Blobs()
    const first = blobs.tree(primary([1]))
    const run = blobs.tree(guest('run'))
    const second = blobs.tree(primary([1, 2]))
    const third = blobs.tree(primary([1, 2, 3], { link: symlink('a') }))
    const found = await rootsOf(blobs, [first])
    const facts = found.roots.map(({ rootref, kind, keys, jobs, newest, lost, checkpointIndex }) => {
      return { rootref, kind, keys, jobs, newest, lost, checkpointIndex }
    })
    const none = { lost: 0, checkpointIndex: undefined }
    expect(facts).to.deep.equal([
      { rootref: third, kind: 'primary', keys: 3 + 12 + 1, jobs: 3, newest: 1003, ...none },
      { rootref: second, kind: 'primary', keys: 3 + 8, jobs: 2, newest: 1002, ...none },
      { rootref: first, kind: 'primary', keys: 3 + 4, jobs: 1, newest: 1001, lost: 0, checkpointIndex: 0 },
      { rootref: run, kind: 'guest', keys: 3, jobs: 0, newest: 2000, ...none },
    ])
    expect(found.counts).to.include({ primary: 3, guest: 1, other: 0 })
    expect(found).to.include({ checked: blobs.size, newest: 2000 })
    expect(found.checkpoints.map(({ rootref }) => rootref)).to.deep.equal([first])
  })

  it('says by which names a kind is guessed', async () => {
    const blobs = new Blobs()
    const kinds: [tree: Record<string, Tree>, kind: string, names: string[]][] = [
      [primary([1], { checkpoint: dir({ x: val('1') }) }), 'primary', ['job', 'resource', 'admin', 'checkpoint']],
      [guest('a'), 'guest', ['exec', 'input', 'output']],
      [{ J: val(''), eventlog: val('') }, 'job', ['eventlog', 'J']],
      [{ '00ab': dir({}), '00ac': dir({}) }, 'jobs', []],
      [{ R: val(''), eventlog: val('') }, 'resource', ['eventlog', 'R']],
      [{ a: val('') }, 'other', []],
    ]
    const expected = new Map(kinds.map(([tree, kind, names]) => [blobs.tree(tree), { kind, names }]))
    const { roots } = await rootsOf(blobs)
    expect(roots.length).to.equal(kinds.length)
    for (const { rootref, kind, guessedBy } of roots) {
      expect({ kind, names: guessedBy }).to.deep.equal(expected.get(rootref))
    }
  })

  it('gives the same sums in whatever order the blobs were stored', async () => {
    const blobs = new Blobs()
    const root = blobs.tree(primary([1, 2, 3, 4], { copy: dir({ job: dir({ '0000': dir({}) }), x: valref('x') }) }))
    const facts = ({ keys, jobs, newest, lost }: FoundRoot) => ({ keys, jobs, newest, lost })
    const [before] = (await rootsOf(blobs)).roots
    const reversed = new Blobs()
    for (const [blobref, blob] of [...blobs].reverse()) reversed.set(blobref, blob)
    const mixed = new Blobs()
    for (const [blobref, blob] of [...blobs].sort()) mixed.set(blobref, blob)
    for (const order of [reversed, mixed]) {
      const [after] = (await rootsOf(order)).roots
      expect(after?.rootref).to.equal(root)
      expect(facts(after as FoundRoot)).to.deep.equal(facts(before as FoundRoot))
      expect(after).to.include({ jobs: 4, newest: 1004, lost: 0 })
    }
  })

  it('counts what is lost below a root, and lists directories that have lost their parent', async () => {
    const blobs = new Blobs()
    const whole = blobs.tree(primary([1]))
    const root = blobs.tree(primary([1, 2, 3]))
    const jobs = new Blobs()
    const lostJob = jobs.tree({ x: job(2) }) && [...jobs.keys()].at(-2)
    blobs.delete(lostJob as string)
    // Its parent is gone, and what it held is there.
    blobs.delete(blobs.store('signed 3'))
    const found = await rootsOf(blobs)
    expect(found.roots.map(({ rootref, lost, jobs }) => ({ rootref, lost, jobs }))).to.deep.equal([
      { rootref: root, lost: 2, jobs: 2 },
      { rootref: whole, lost: 0, jobs: 1 },
    ])
    expect(refs(await rootsOf(blobs, [], { whole: true }))).to.deep.equal([whole])

    const orphaned = new Blobs()
    const parent = orphaned.tree(primary([7]))
    orphaned.delete(parent)
    const orphans = (await rootsOf(orphaned)).roots
    expect(orphans.map(({ kind }) => kind).sort()).to.deep.equal(['jobs', 'other', 'resource'])
    expect(orphans.find(({ kind }) => kind === 'jobs')).to.include({ jobs: 1, keys: 4, newest: 1007 })
  })

  it('takes altered blobs for lost, and reports them', async () => {
    const blobs = new Blobs()
    const root = blobs.tree(primary([1]))
    const altered = blobs.store('R 1')
    blobs.set(altered, Buffer.from('R 2'))
    const faults: FluxError[] = []
    const found = await rootsOf(blobs, [], { onFault: (fault) => faults.push(fault) })
    expect(faults.map(({ code }) => code)).to.deep.equal(['EBADMSG'])
    expect(found.roots).to.have.length(1)
    expect(found.roots[0]).to.include({ rootref: root, lost: 1 })
  })

  it('finds what is left of a database with damaged pages, of the table and of its index', async () => {
    const blobs = new Blobs()
    const jobs = Array.from({ length: 200 }, (_, i) => i)
    const root = blobs.tree(primary(jobs))
    for (const [kind, isLost] of [
      ['index', false],
      ['table', true],
    ] as const) {
      const path = newPath()
      writeSqlite(path, blobs, [])
      const value = Buffer.from('signed 100')
      const digest = Buffer.from(blobs.store(value).slice('sha1-'.length), 'hex')
      expect(damagePage(path, kind, kind === 'index' ? digest : value)).to.equal(1)
      const found = await rootsAt(path, { onFault: () => {} })
      const first = found.roots.find(({ rootref }) => rootref === root)
      expect(first?.kind, kind).to.equal('primary')
      expect((first?.lost ?? 0) > 0, kind).to.equal(isLost)
      expect(first?.jobs, kind).to.be.within(isLost ? 1 : 200, 200)
    }
  })

  it('reads directories that are not written as Flux writes them', async () => {
    const blobs = new Blobs()
    const value = blobs.store('value')
    const log = blobs.store(event(77))
    const obj = (type: string, data: unknown) => ({ ver: 1, type, data })
    const text = JSON.stringify(
      obj('dir', {
        inline: obj('dir', { deep: obj('dir', { log: obj('valref', [value]), eventlog: obj('valref', [log]) }) }),
        resource: obj('dir', { 'a"b\\': obj('val', 'eA==') }),
        bad: { no: 'object' },
        two: obj('dirref', [value, log]),
        link: obj('symlink', { target: 'x', namespace: 'y' }),
      }),
      null,
      1,
    )
    const root = blobs.store(text)
    const { roots } = await rootsOf(blobs)
    expect(roots).to.have.length(1)
    expect(roots[0]).to.include({ rootref: root, kind: 'primary', keys: 4, newest: 77, lost: 2 })
  })

  it('counts what a directory of Flux may hold, whatever its names', async () => {
    const blobs = new Blobs()
    const root = blobs.tree({
      'a"b\\c': valref('1', '2'),
      'é\u0001': val(''),
      '': symlink('x', 'ns'),
      none: dir({}),
      notdir: raw('dirref', [blobs.store('a value')]),
      pair: raw('dirref', [blobs.store('1'), blobs.store('2')]),
      other: raw('valref', [`sha256-${'0'.repeat(64)}`]),
    })
    const { roots } = await rootsOf(blobs)
    expect(refs({ roots } as FoundRoots)).to.deep.equal([root])
    expect(roots[0]).to.include({ keys: 4, lost: 3, kind: 'other' })
  })

  it('reads what is too large for a batch: directories, and the end of eventlogs', async () => {
    const blobs = new Blobs()
    const entries: Record<string, Tree> = {}
    for (let i = 0; i < 45_000; i++) entries[`name${i}`] = valref('same')
    const log = event(10).repeat(140_000) + event(4242)
    const json = `{"data":{},"rest":"${'x'.repeat(5 << 20)}"}`
    const root = blobs.tree({ large: dir(entries), sub: dir({ eventlog: valref(log) }), json: valref(json) })
    expect([...blobs.values()].filter(({ length }) => length > 4 << 20)).to.have.length(3)
    const { roots } = await rootsOf(blobs)
    expect(roots).to.have.length(1)
    expect(roots[0]).to.include({ rootref: root, keys: 45_002, newest: 4242, lost: 0 })
  })

  it('lists no more than is wanted, of the wanted kinds', async () => {
    const blobs = new Blobs()
    blobs.tree(primary([1]))
    const run = blobs.tree(guest('run'))
    const last = blobs.tree(primary([1, 2]))
    expect(refs(await rootsOf(blobs, [], { most: 1 }))).to.deep.equal([last])
    const guests = await rootsOf(blobs, [], { kinds: ['guest'] })
    expect(refs(guests)).to.deep.equal([run])
    expect(guests.counts.primary).to.equal(2)
  })

  it('knows the namespaces of running jobs that older instances kept as text', async () => {
    const blobs = new Blobs()
    const run = blobs.tree(guest('run'))
    const text = `[{"id":17179869184,"owner":0,"kvsroot":"${run}"}]`
    blobs.tree(primary([1], { 'job-exec': dir({ 'kvs-namespaces': val(text) }) }))
    const found = await rootsOf(blobs)
    expect(found.roots.map(({ jobid }) => jobid)).to.deep.equal([undefined, 17179869184n])
  })

  it('works where checkpoints are damaged, or name a root that is lost', async () => {
    const blobs = new Blobs()
    const lost = `sha1-${'ab'.repeat(20)}`
    const root = blobs.tree(primary([1]))
    const found = await rootsOf(blobs, [lost, root])
    expect(found.lostCheckpoints).to.deep.equal([0])
    expect(found.roots[0]).to.include({ rootref: root, checkpointIndex: 1 })

    const path = newPath()
    writeSqlite(path, blobs, [root])
    const db = new DatabaseSync(path)
    db.exec(`UPDATE checkpt_v2 SET value = '{"version":1'`)
    db.close()
    const faults: FluxError[] = []
    const without = await rootsAt(path, { onFault: (fault) => faults.push(fault) })
    expect(faults.map(({ code }) => code)).to.deep.equal(['EPROTO'])
    expect(refs(without)).to.deep.equal([root])
  })

  it('lists the root of a checkpoint also if a directory refers to it', async () => {
    const blobs = new Blobs()
    const inside = blobs.tree(primary([1]))
    const outside = blobs.tree({ lastnight: raw('dirref', [inside]) })
    const { roots } = await rootsOf(blobs, [inside])
    expect(roots.map(({ rootref, checkpointIndex }) => ({ rootref, checkpointIndex }))).to.deep.equal([
      { rootref: inside, checkpointIndex: 0 },
      { rootref: outside, checkpointIndex: undefined },
    ])
    // Jobs count where Flux keeps them, and not below another key.
    expect(roots[1]).to.include({ keys: 7, jobs: 0 })
  })

  it('takes the files of a content.files by their age', async () => {
    const blobs = new Blobs()
    const old = blobs.tree(primary([1]))
    const recent = blobs.tree(primary([1, 2]))
    const path = join(work, 'content.files')
    mkdirSync(path)
    for (const [i, [blobref, blob]] of [...blobs].entries()) {
      writeFileSync(join(path, blobref), blob)
      utimesSync(join(path, blobref), 1e9, blobref === old ? 1e9 + 1000 : 1e9 + i)
    }
    expect(refs(await rootsAt(path))).to.deep.equal([old, recent])
    utimesSync(join(path, old), 1e9, 1e9)
    const found = await rootsAt(path)
    expect(refs(found)).to.deep.equal([recent, old])
    expect(found.roots[0]).to.include({ jobs: 2, lost: 0 })
  })

  for (const name of ['basic', 'checkpoints', 'jobs', 'values', 'names', 'sha256', 'old-schema', 'damaged-dangling']) {
    it(`counts below the checkpoints of ${name} what a check of them counts`, async () => {
      await using store = await openStore(fixture(name))
      const { roots, checkpoints } = await findRoots(store)
      expect(checkpoints).to.not.be.empty
      for (const { rootref } of checkpoints) {
        const { values, symlinks, errors } = await checkTree({ store, rootref }, {})
        const root = roots.find((root) => root.rootref === rootref)
        expect(root?.lost === 0, rootref).to.equal(errors === 0)
        if (errors === 0) expect(root?.keys, rootref).to.equal(values + symlinks)
      }
    })
  }

  it('refuses a store that cannot list its blobs', async () => {
    const error = await findRoots(new MemoryStore(new Blobs())).catch((error) => error)
    expect(error).to.include({
      code: 'ENOTSUP',
      message: 'memory: does not list its blobs',
      hint: 'stop the instance, and give its store with --store',
    })
  })
})
