import { expect } from 'chai'
import { listDirEntries, listKeys } from '../../../src/inspect/index.ts'
import { SnapshotReader } from '../../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref } from '../../support/trees.ts'

const MISSING = `sha1-${'0'.repeat(40)}`

/** As many jobs as it takes to look ahead, with directories in each. */
function jobs(count: number): Record<string, Tree> {
  const entries: Record<string, Tree> = {}
  for (let i = 0; i < count; i++) {
    entries[`f${i}`] = dir({
      R: val(`${i}`),
      eventlog: valref(`submit ${i}\n`, 'clean\n'),
      guest: dir({ exec: dir({ eventlog: valref(`exec ${i}\n`) }), none: dir({}) }),
    })
  }
  return entries
}

function storeOf(entries: Record<string, Tree>): { store: MemoryStore; reader: SnapshotReader } {
  const blobs = new Blobs()
  const rootref = blobs.tree(entries)
  const store = new MemoryStore(blobs)
  store.obeyBudget = true
  return { store, reader: new SnapshotReader({ store, rootref }) }
}

async function listed(reader: SnapshotReader, keys: string[], options = {}): Promise<string[]> {
  const lines: string[] = []
  const onFault = (error: Error) => lines.push(error.message)
  for await (const { key, isLabelled, entries } of listKeys(reader, keys, { onFault, ...options })) {
    lines.push(`${key ?? '-'}${isLabelled ? ':' : ''} ${Array.from(entries, ({ name }) => name).join(' ')}`)
  }
  return lines
}

async function shown(reader: SnapshotReader, key: string, options = {}): Promise<string[]> {
  const lines: string[] = []
  for await (const batch of listDirEntries(reader, key, { valueBytes: 100, ...options })) {
    for (const entry of batch) {
      const start = 'start' in entry && entry.start ? ` = ${Buffer.from(entry.start)}` : ''
      lines.push(`${entry.key} ${entry.obj.type}${start}`)
    }
  }
  return lines
}

describe('inspect: listing', () => {
  it('lists directories depth first, each with what is in it, in byte order', async () => {
    const { reader } = storeOf({ b: dir({ z: dir({}), y: val('1') }), a: dir({ c: dir({ d: val('') }) }), B: val('') })
    expect(await listed(reader, [], { recursive: true })).to.deep.equal([
      '.: B a b',
      'a: c',
      'a.c: d',
      'b: y z',
      'b.z: ',
    ])
  })

  it('opens directories many at a time, and lists the same whatever comes with them', async () => {
    const { store, reader } = storeOf({ job: dir(jobs(300)) })
    const lines = await listed(reader, ['job'], { recursive: true })
    expect(lines).to.have.length(1 + 300 * 4)
    const names = Object.keys(jobs(300)).sort()
    expect(lines[0]).to.equal(`job: ${names.join(' ')}`)
    expect(lines.slice(1, 5)).to.deep.equal([
      'job.f0: R eventlog guest',
      'job.f0.guest: exec none',
      'job.f0.guest.exec: eventlog',
      'job.f0.guest.none: ',
    ])
    expect(lines.slice(1).filter((_, i) => i % 4 === 0)).to.deep.equal(
      names.map((name) => `job.${name}: R eventlog guest`),
    )
    expect(store.largestBatch).to.be.greaterThan(50)
    // Each once, but for the empty one, which all have in common.
    expect(new Set(store.asked).size).to.be.greaterThan(900)
  })

  it('goes on after a key that cannot be listed, and stops at a directory below that is damaged', async () => {
    const { reader } = storeOf({ a: dir({ x: val('') }), bad: dir({ gone: raw('dirref', [MISSING]), z: dir({}) }) })
    expect(await listed(reader, ['nosuch', 'a', 'a.x.'])).to.deep.equal([
      'nosuch: No such file or directory',
      'a.x: Not a directory',
      'a x',
    ])
    const lines: string[] = []
    try {
      for await (const { key } of listKeys(reader, ['bad'], { recursive: true, onFault: () => {} })) {
        lines.push(String(key))
      }
      expect.fail('it did not stop')
    } catch (error) {
      expect(error).to.have.property(
        'message',
        `bad.gone: could not load content: No such file or directory (${MISSING})`,
      )
    }
    expect(lines).to.deep.equal(['bad'])
  })

  it('shows a tree with its values, empty directories as such, in order', async () => {
    const { reader } = storeOf({ job: dir(jobs(40)), link: symlink('job') })
    const lines = await shown(reader, '.', { recursive: true })
    expect(lines).to.have.length(40 * 4 + 1)
    expect(lines.slice(0, 4)).to.deep.equal([
      'job.f0.R val = 0',
      'job.f0.eventlog valref = submit 0\nclean\n',
      'job.f0.guest.exec.eventlog valref = exec 0\n',
      'job.f0.guest.none dir',
    ])
    expect(lines.at(-1)).to.equal('link symlink')
    expect(await shown(reader, 'job.f7')).to.deep.equal([
      'job.f7.R val = 7',
      'job.f7.eventlog valref = submit 7\nclean\n',
      'job.f7.guest dirref',
    ])
  })

  it('loads no more of a value than is shown, and nothing when none are', async () => {
    const { store, reader } = storeOf({ long: valref('x'.repeat(100), 'never loaded'), short: valref('a', 'b') })
    expect(await shown(reader, '.', { valueBytes: 50 })).to.deep.equal([
      `long valref = ${'x'.repeat(50)}`,
      'short valref = ab',
    ])
    expect(store.asked).to.have.length(1 + 2 + 2)
    store.asked.length = 0
    expect(await shown(reader, '.', { valueBytes: 0 })).to.deep.equal(['long valref', 'short valref'])
    expect(store.asked).to.have.length(0)
  })

  it('shows what comes before a value that is missing', async () => {
    const { reader } = storeOf({ a: val('1'), b: raw('valref', [MISSING]), c: val('2') })
    const lines: string[] = []
    try {
      for await (const batch of listDirEntries(reader, '.', { valueBytes: 9 })) {
        for (const { key } of batch) lines.push(key)
      }
      expect.fail('it did not stop')
    } catch (error) {
      expect(error).to.have.property('message', `b: missing blobref 0: No such file or directory (${MISSING})`)
    }
    expect(lines).to.deep.equal(['a'])
  })

  it('is not confused by names with a dot', async () => {
    const { reader } = storeOf({ 'a.b': dir({ x: val('1') }), a: dir({ b: dir({ y: val('2') }) }) })
    expect(await shown(reader, '.', { recursive: true })).to.deep.equal(['a.b.y val = 2', 'a.b.x val = 1'])
  })
})
