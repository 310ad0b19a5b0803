import { expect } from 'chai'
import { openStore } from '../../../src/content/index.ts'
import { du, sortUsages, type Usage } from '../../../src/inspect/index.ts'
import { resolveRoot } from '../../../src/kvs/index.ts'
import { expected, fixture } from '../../support/fixtures.ts'
import {
  Blobs,
  blobrefsOf,
  dir,
  MemoryStore,
  onDisk,
  raw,
  symlink,
  type Tree,
  val,
  valref,
} from '../../support/trees.ts'

function literal(entries: Record<string, Tree>): { store: MemoryStore; blobs: Blobs; rootref: string } {
  const blobs = new Blobs()
  const rootref = blobs.tree(entries)
  return { store: new MemoryStore(blobs), blobs, rootref }
}

function facts({ key, bytes, onceBytes, valueBytes, keys, dirs }: Usage): object {
  return { key, bytes, onceBytes, valueBytes, keys, dirs }
}

describe('inspect/du', () => {
  it('adds up blobs as often as they are referred to, and once', async () => {
    const { store, blobs, rootref } = literal({
      a: dir({ one: valref('12345'), again: valref('12345', '678'), inline: val('in') }),
      b: dir({ one: valref('12345'), c: dir({ link: symlink('x'), one: valref('678') }) }),
      top: valref('9'),
    })
    const usages = await du({ store, rootref }, { depth: 1 })
    const [all, a, b] = usages as [Usage, Usage, Usage]
    expect(usages.map(({ key }) => key)).to.deep.equal(['.', 'a', 'b'])
    expect([all.keys, a.keys, b.keys]).to.deep.equal([7, 3, 3])
    expect([all.dirs, a.dirs, b.dirs]).to.deep.equal([4, 1, 2])
    expect([all.valueBytes, a.valueBytes, b.valueBytes]).to.deep.equal([5 + 8 + 2 + 5 + 3 + 1, 15, 8])
    // Every blob of the store is met; values are counted twice where they are referred to twice.
    const stored = [...blobs.values()].reduce((sum, { length }) => sum + length, 0)
    expect(all.onceBytes).to.equal(stored)
    expect(all.bytes - all.onceBytes).to.equal(5 + 5 + 3)
    expect(a.bytes - a.onceBytes).to.equal(5)
    expect(b.bytes - b.onceBytes).to.equal(5 + 3)
  })

  it('tells directories apart down to a depth, and counts all below', async () => {
    const { store, rootref } = literal({
      a: dir({ b: dir({ c: dir({ d: valref('1') }) }) }),
      e: raw('dir', { f: val('') }),
    })
    const keys = async (depth: number) => (await du({ store, rootref }, { depth })).map(({ key }) => key)
    expect(await keys(0)).to.deep.equal(['.'])
    expect(await keys(2)).to.deep.equal(['.', 'a', 'e', 'a.b'])
    const [all] = await du({ store, rootref }, { depth: 0 })
    const whole = await du({ store, rootref }, { depth: 9 })
    expect(facts(whole[0] as Usage)).to.deep.equal(facts(all as Usage))
    expect(all).to.include({ keys: 2, dirs: 5 })
  })

  it('loads nothing but directories where the store knows sizes', async () => {
    const { store, blobs, rootref } = literal({ a: dir({ x: valref('value') }) })
    const sizesOf = async (digests: Uint8Array) =>
      Float64Array.from(blobrefsOf(digests), (ref) => blobs.get(ref)?.length ?? -1)
    await du({ store: onDisk(store, { sizesOf }), rootref }, { depth: 1 })
    expect(store.asked).to.have.length(2)
  })

  it('counts the values of a store that Flux wrote', async () => {
    await using store = await openStore(fixture('jobs', 'content.sqlite'))
    const [all] = await du(await resolveRoot(store), { depth: 1 })
    const { entries } = expected('jobs')
    const sum = entries.reduce((bytes, entry) => bytes + (entry.type === 'value' ? entry.size : 0), 0)
    expect(all).to.include({ keys: entries.length, valueBytes: sum })
  })

  it('reports what cannot be read and counts the rest; without a listener it throws', async () => {
    const { store, rootref } = literal({
      a: raw('dirref', [`sha1-${'1'.repeat(40)}`]),
      b: raw('valref', [`sha1-${'2'.repeat(40)}`]),
      c: valref('12'),
    })
    const errors: string[] = []
    const [all] = await du({ store, rootref }, { depth: 1, onFault: ({ message }) => errors.push(message) })
    expect(all).to.include({ valueBytes: 2, keys: 2 })
    expect(errors.map((message) => message.split(':', 1)[0])).to.have.members(['a', 'b'])
    expect(await du({ store, rootref }, { depth: 1 }).catch((error) => error)).to.include({ name: 'TreeError' })
  })

  it('may be sorted by size, number of keys, or name', () => {
    const usage = (key: string, bytes: number, keys: number) => ({
      key,
      bytes,
      keys,
      onceBytes: 0,
      valueBytes: 0,
      dirs: 1,
    })
    const usages = [usage('b', 1, 9), usage('a', 5, 1), usage('c', 5, 2)]
    const keys = (order: 'size' | 'name' | 'count') => sortUsages(usages, order).map(({ key }) => key)
    expect(keys('size')).to.deep.equal(['a', 'c', 'b'])
    expect(keys('count')).to.deep.equal(['b', 'c', 'a'])
    expect(keys('name')).to.deep.equal(['a', 'b', 'c'])
  })
})
