import { expect } from 'chai'
import { HashingWriter } from '../../../src/content/index.ts'
import {
  checkTree,
  type Damage,
  type PlannedRepair,
  planRepair,
  type RepairOptions,
} from '../../../src/inspect/index.ts'
import { SnapshotReader } from '../../../src/kvs/index.ts'
import { chain, doubled } from '../../support/large-trees.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref } from '../../support/trees.ts'

const LOST = 'lost'
const lostRef = new Blobs().store(LOST)
const lostDir = raw('dirref', [lostRef])

async function repaired(
  entries: Record<string, Tree>,
  options: RepairOptions = {},
  prepare: (blobs: Blobs) => void = () => {},
): Promise<{ planned: PlannedRepair; rootref: string | undefined }> {
  const blobs = new Blobs()
  const rootref = blobs.tree(entries)
  blobs.delete(lostRef)
  prepare(blobs)
  const store = new MemoryStore(blobs)
  const damages: Damage[] = []
  await checkTree({ store, rootref }, { onFault: (damage) => damages.push(damage) })
  const planned = await planRepair(store, rootref, damages, options)
  return { planned, rootref: await planned.tree?.build(new HashingWriter('sha1') as never) }
}

const rootOf = (entries: Record<string, Tree>) => new Blobs().tree(entries)

describe('inspect/repair', () => {
  it('changes nothing in a sound tree', async () => {
    const { planned, rootref } = await repaired({ a: valref('x') }, { jobAware: true })
    expect(planned).to.deep.include({ repaired: 0, unlinked: 0, jobs: [], problems: [], tree: undefined })
    expect(rootref).to.equal(undefined)
  })

  it('moves what is left of values to lost+found, and unlinks directories that are lost', async () => {
    const { planned, rootref } = await repaired({
      a: dir({ half: valref('1', LOST, '3'), none: valref(LOST), sound: valref('s'), gone: lostDir }),
      top: valref(LOST, 'x'),
      gone: lostDir,
      link: symlink('a', 'ns'),
    })
    expect(planned).to.include({ repaired: 3, unlinked: 2 })
    expect(rootref).to.equal(
      rootOf({
        a: dir({ sound: valref('s') }),
        link: symlink('a', 'ns'),
        'lost+found': dir({ a: dir({ half: valref('1', '3'), none: val('') }), top: valref('x') }),
      }),
    )
  })

  it('unlinks directories where there is nothing else to be done', async () => {
    const { rootref } = await repaired({ a: val('1'), gone: lostDir })
    expect(rootref).to.equal(rootOf({ a: val('1') }))
  })

  it('keeps keys with dots in their names, and names of any kind', async () => {
    const names = ['a.b', '', '10', '2', '__proto__', 'é', '\t"\\', '\u{1f600}']
    const of = (tree: Tree) => Object.fromEntries([...names.map((name) => [name, tree] as const)])
    const { rootref } = await repaired({ d: dir({ ...of(valref('x', LOST)), z: val('z') }) })
    expect(rootref).to.equal(rootOf({ d: dir({ z: val('z') }), 'lost+found': dir({ d: dir(of(valref('x'))) }) }))
  })

  it('adds to lost+found, even when that is damaged itself', async () => {
    expect((await repaired({ 'lost+found': dir({ b: val('old') }), a: valref(LOST) })).rootref).to.equal(
      rootOf({ 'lost+found': dir({ a: val(''), b: val('old') }) }),
    )
    expect((await repaired({ 'lost+found': lostDir, a: valref(LOST) })).rootref).to.equal(
      rootOf({ 'lost+found': dir({ a: val('') }) }),
    )
    expect((await repaired({ 'lost+found': valref(LOST), a: valref(LOST) })).rootref).to.equal(
      rootOf({ 'lost+found': dir({ a: val(''), 'lost+found': val('') }) }),
    )
    expect((await repaired({ 'lost+found': dir({ a: valref('1', LOST) }), a: valref('2', LOST) })).rootref).to.equal(
      rootOf({ 'lost+found': dir({ a: valref('2'), 'lost+found': dir({ a: valref('1') }) }) }),
    )
  })

  it('leaves what is damaged in other ways where it is', async () => {
    const text = new Blobs().store('no JSON')
    const others = { base64: raw('val', '?'), text: raw('dirref', [text]), two: raw('dirref', [lostRef, lostRef]) }
    const { planned, rootref } = await repaired({ ...others, a: valref(LOST) }, {}, (blobs) => blobs.store('no JSON'))
    expect(planned).to.include({ repaired: 1, unlinked: 0 })
    expect(rootref).to.equal(rootOf({ ...others, 'lost+found': dir({ a: val('') }) }))
  })

  it('moves all that a job has, if told to, when one of its values is damaged', async () => {
    const job = { J: val('J'), log: valref('1'), link: symlink('x'), guest: dir({ g: valref('g'), none: dir({}) }) }
    const jobs = (entries: Record<string, Tree>) => dir({ '0123': dir({ '4567': dir({ '89ab': dir(entries) }) }) })
    const entries = {
      job: jobs({ badd: dir({ ...job, bad: valref(LOST) }), cdef: dir(job), dead: dir({ ...job, gone: lostDir }) }),
    }
    const { planned, rootref } = await repaired(entries, { jobAware: true })
    expect(planned.jobs).to.deep.equal(['job.0123.4567.89ab.badd'])
    const moved = { ...job, guest: dir({ g: valref('g') }), bad: val('') }
    expect(rootref).to.equal(
      rootOf({ job: jobs({ cdef: dir(job), dead: dir(job) }), 'lost+found': dir({ job: jobs({ badd: dir(moved) }) }) }),
    )
  })

  it('keeps the reference to a directory of a job that cannot be read', async () => {
    const text = raw('dirref', [new Blobs().store('no JSON')])
    const jobs = (entries: Record<string, Tree>) => dir({ '0123': dir({ '4567': dir({ '89ab': dir(entries) }) }) })
    const { planned, rootref } = await repaired(
      { job: jobs({ badd: dir({ bad: valref(LOST), text }) }) },
      { jobAware: true },
      (blobs) => blobs.store('no JSON'),
    )
    expect(planned.problems.join()).to.match(/^job\.0123\.4567\.89ab\.badd\.text: could not decode tree object/)
    expect(rootref).to.equal(
      rootOf({ job: jobs({}), 'lost+found': dir({ job: jobs({ badd: dir({ bad: val(''), text }) }) }) }),
    )
  })

  it('moves the directories of a job as they are, where more keys lead to them than can be moved', async () => {
    const blobs = new Blobs()
    const guest = raw('dirref', [doubled(blobs, blobs.store(blobs.dirText({ v: val('end') })), 30)])
    const jobs = (entries: Record<string, Tree>) => dir({ '0123': dir({ '4567': dir({ '89ab': dir(entries) }) }) })
    const rootref = blobs.tree({ job: jobs({ badd: dir({ bad: valref(LOST), guest }), cdef: dir({ J: val('J') }) }) })
    blobs.delete(lostRef)
    const store = new MemoryStore(blobs)
    const damages: Damage[] = []
    await checkTree({ store, rootref }, { onFault: (damage) => damages.push(damage) })
    const planned = await planRepair(store, rootref, damages, { jobAware: true })
    expect(planned).to.deep.include({ jobs: ['job.0123.4567.89ab.badd'], problems: [] })
    const now = await planned.tree?.build({
      storeBatch: (list) => ({
        blobrefs: list.map((blob) => blobs.store(blob)),
        stored: Promise.resolve(),
        room: Promise.resolve(),
      }),
    })
    const reader = new SnapshotReader({ store, rootref: now as string })
    const end = `lost+found.job.0123.4567.89ab.badd.guest${'.a'.repeat(30)}.v`
    expect(await reader.lookup(end, 'treeobj')).to.deep.equal(val('end'))
    // One that is damaged, one of the other job, and those of the guest.
    const checked = await checkTree({ store, rootref: now as string }, { onFault: () => {} })
    expect(checked).to.include({ errors: 0, values: 2 + 2 ** 30 })
  })

  it('mends a value that lies in a great many directories', async () => {
    const blobs = new Blobs()
    const rootref = chain(blobs, blobs.store(blobs.dirText({ v: valref(LOST) })), 5000)
    blobs.delete(lostRef)
    const store = new MemoryStore(blobs)
    const damages: Damage[] = []
    await checkTree({ store, rootref }, { onFault: (damage) => damages.push(damage) })
    const planned = await planRepair(store, rootref, damages, {})
    const expected = new Blobs()
    const deep = (text: Record<string, Tree>) => chain(expected, expected.store(expected.dirText(text)), 4999)
    const lost = raw('dirref', [chain(expected, deep({ v: val('') }), 1)])
    const now = expected.tree({ d: raw('dirref', [deep({})]), 'lost+found': lost })
    expect(await planned.tree?.build(new HashingWriter('sha1') as never)).to.equal(now)
  })

  it('puts directories that stood in their parents into blobs of their own', async () => {
    const inline = raw('dir', { x: { data: 'eA==', type: 'val', ver: 1 } })
    const { rootref } = await repaired({ a: inline, b: valref(LOST) })
    expect(rootref).to.equal(rootOf({ a: dir({ x: val('x') }), 'lost+found': dir({ b: val('') }) }))
  })
})
