import { expect } from 'chai'
import { totalReport } from '../../src/cli/reports/index.ts'
import { FluxError, grouped } from '../../src/errors/index.ts'
import {
  checkTree,
  contentStats,
  type Damage,
  damagedKey,
  diff,
  du,
  fsck,
  jobs,
  listDirEntries,
  listKeys,
} from '../../src/inspect/index.ts'
import { SnapshotReader, walk } from '../../src/kvs/index.ts'
import { chain, doubled, repeated } from '../support/large-trees.ts'
import { Blobs, blobrefsOf, dir, MemoryStore, onDisk, raw, val, valref } from '../support/trees.ts'

/** What is said of 2^30 keys in 31 directories. */
const COUNTED = '3,221,225,470 values, links and directories, in 31 directories that are referred to again and again'

const MISSING = `sha1-${'0'.repeat(40)}`

/** A directory of one value; and of one that is damaged. */
const sound = (blobs: Blobs) => blobs.store(blobs.dirText({ v: valref('end') }))
const damaged = (blobs: Blobs) => blobs.store(blobs.dirText({ v: raw('valref', [MISSING]) }))

async function damagesOf(store: MemoryStore, rootref: string) {
  const damages: Damage[] = []
  const checked = await checkTree({ store, rootref }, { onFault: (damage) => damages.push(damage) })
  return { checked, keys: damages.map(damagedKey) }
}

type Side = { store: MemoryStore; rootref: string }

const codeOf = (error: unknown) => (error instanceof FluxError ? [error.code, error.message, error.hint] : error)

describe('inspect: trees that are larger than they look', () => {
  it('are checked by looking at each directory once, and counted key by key', async () => {
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const rootref = doubled(blobs, sound(blobs), 30)
    const { checked } = await damagesOf(store, rootref)
    expect(checked).to.include({ errors: 0, values: 2 ** 30, directories: 2 ** 31 - 1 })
    expect(store.asked).to.have.length(32)
  })

  it('are counted up to the largest number that is exact', async () => {
    const blobs = new Blobs()
    const { checked } = await damagesOf(new MemoryStore(blobs), doubled(blobs, sound(blobs), 2000))
    expect(checked.values).to.equal(Number.MAX_SAFE_INTEGER)
  })

  it('have their damage told at each key where these are few, else once, with how often', async () => {
    const blobs = new Blobs()
    const few = await damagesOf(new MemoryStore(blobs), doubled(blobs, damaged(blobs), 2))
    expect(few.keys).to.deep.equal(['a.a.v', 'a.b.v', 'b.a.v', 'b.b.v'])
    expect(few.checked).not.to.have.property('unlisted')
    const rootref = doubled(blobs, damaged(blobs), 30)
    const many = await damagesOf(new MemoryStore(blobs), rootref)
    expect(many.keys).to.have.length(1)
    expect(many.checked).to.include({ errors: 2 ** 30, unlisted: 2 ** 30 - 1 })
    const result = await fsck(new MemoryStore(blobs), { rootref })
    expect(totalReport(result, { repair: false, verbose: false, quiet: false })).to.deep.equal([
      'not listed: 1073741823 more keys of damaged directories that are referred to again',
      'Total errors: 1073741824',
    ])
  })

  it('are checked however deep they are', async () => {
    const blobs = new Blobs()
    const { checked, keys } = await damagesOf(new MemoryStore(blobs), chain(blobs, damaged(blobs), 50_000))
    expect(checked).to.include({ errors: 1, directories: 50_001 })
    expect(keys).to.deep.equal([`${'d.'.repeat(50_000)}v`])
  })

  it('are not listed while they are checked, beyond a number of keys', async () => {
    const blobs = new Blobs()
    const options = { onFault: () => {}, onVisit: () => {}, maxKeys: 1000 }
    const error = await checkTree(
      { store: new MemoryStore(blobs), rootref: doubled(blobs, sound(blobs), 30) },
      options,
    ).catch(codeOf)
    expect(error).to.deep.equal([
      'EOVERFLOW',
      'more than 1000 values, links and directories',
      'directories may be referred to from many places; leave out --verbose',
    ])
  })

  it('are counted, and not listed while they are checked, when the same directories come again and again', async () => {
    const blobs = new Blobs()
    const rootref = doubled(blobs, sound(blobs), 30)
    let visited = 0
    const options = { onFault: () => {}, onVisit: () => visited++ }
    const error = await checkTree({ store: new MemoryStore(blobs), rootref }, options).catch(codeOf)
    expect(error).to.deep.equal(['EOVERFLOW', COUNTED, 'leave out --verbose'])
    expect(visited).to.be.lessThan(50_000)
  })

  it('are not listed while they are checked, beyond a number of levels', async () => {
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const rootref = chain(blobs, sound(blobs), 100)
    const check = (maxDepth?: number) => checkTree({ store, rootref }, { onVisit: () => {}, maxDepth })
    expect(await check(99).catch(codeOf)).to.deep.equal([
      'EOVERFLOW',
      'd.d.d.d…: more than 99 directories, one in another',
      'leave out --verbose',
    ])
    expect(await check(100)).to.include({ errors: 0, directories: 101 })
    expect(await check()).to.include({ errors: 0 })
  })

  it('are counted where they are jobs, of which no flag allows more', async () => {
    const blobs = new Blobs()
    const dirref = (ref: string) => raw('dirref', [ref])
    const names = Array.from({ length: 182 }, (_, n) => n.toString(16).padStart(4, '0'))
    let ref = blobs.store(
      blobs.dirText({ eventlog: valref('{}'), jobspec: valref('{}'), R: valref('{}'), more: val('') }),
    )
    for (let level = 0; level < 4; level++) {
      const { data } = { data: Object.fromEntries([...names.map((name) => [name, dirref(ref)]), ['x', dirref(ref)]]) }
      ref = blobs.store(blobs.dirText(data))
    }
    const rootref = blobs.tree({ job: dirref(ref) })
    const listed = async () => {
      for await (const _ of jobs({ store: new MemoryStore(blobs), rootref }));
    }
    const all = 1 + 182 + 182 ** 2 + 182 ** 3 + 4 * 182 ** 4
    expect(await listed().catch(codeOf)).to.deep.equal([
      'EOVERFLOW',
      `${grouped(all)} values, links and directories, in 6 directories that are referred to again and again`,
      'fsck and du read each directory once, and tell more about it',
    ])
  })

  it('have a blob that is referred to again and again looked at once in a batch', async () => {
    const blobs = new Blobs()
    const blobref = blobs.store('x')
    const store = new MemoryStore(blobs)
    store.window = 1024
    const rootref = repeated(blobs, `{"data":["${blobref}"],"type":"valref","ver":1}`, 10_000)
    const { checked } = await damagesOf(store, rootref)
    expect(checked.blobs).to.equal(10_001)
    expect(store.asked.length).to.be.lessThan(30)
  })

  it('are added up by looking at each directory once, and again only to tell its parts apart', async () => {
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const rootref = doubled(blobs, sound(blobs), 30)
    const sizesOf = async (digests: Uint8Array) =>
      Float64Array.from(blobrefsOf(digests), (ref) => blobs.get(ref)?.length ?? -1)
    const [all, a, b] = await du({ store: onDisk(store, { sizesOf }), rootref }, { depth: 1 })
    expect(store.asked).to.have.length(31)
    expect(all).to.include({ keys: 2 ** 30, valueBytes: 3 * 2 ** 30, dirs: 2 ** 31 - 1 })
    expect(a).to.include({ key: 'a', keys: 2 ** 29 })
    expect(b).to.include({ key: 'b', keys: 2 ** 29, onceBytes: 0 })
    expect(all?.onceBytes).to.equal([...blobs.values()].reduce((sum, { length }) => sum + length, 0))
    const deeper = await du({ store, rootref }, { depth: 3 })
    expect(deeper).to.have.length(1 + 2 + 4 + 8)
    for (const { key, keys } of deeper) {
      expect(keys).to.equal(2 ** (30 - (key === '.' ? 0 : key.split('.').length)))
    }
  })

  it('are not shown directory by directory, when these are the same again and again', async () => {
    const blobs = new Blobs()
    const rootref = doubled(blobs, sound(blobs), 30)
    const store = new MemoryStore(blobs)
    expect(await du({ store, rootref }, { depth: 30, maxAgain: 1000 }).catch(codeOf)).to.deep.equal([
      'EOVERFLOW',
      'more than 1000 directories that are referred to again',
      'give a smaller --depth',
    ])
    // 2^10 - 1 directories, nine of which are met for the first time after the root.
    expect(await du({ store, rootref }, { depth: 9, maxAgain: 1023 - 10 })).to.have.length(1023)
  })

  it('have what can be reached marked, whatever number of blobs a value names', async () => {
    const blobs = new Blobs()
    const blobref = blobs.store('x')
    const rootref = blobs.tree({ v: raw('valref', new Array(300_000).fill(blobref)) })
    const marked = new Set<string>()
    const store = onDisk(new MemoryStore(blobs), {
      markDigests: async (digests) => {
        for (const ref of blobrefsOf(digests)) marked.add(ref)
        return digests.length / 20
      },
      totals: async () => ({ all: {}, marked: {} }) as never,
    })
    store.checkpoints = async () => [{ rootref, sequence: 1, timestamp: 1 }]
    await contentStats(store, { reachable: true })
    expect([...marked]).to.have.members([rootref, blobref])
  })

  const GOES_THROUGH = {
    async walk(store: MemoryStore, rootref: string, limits: object) {
      for await (const _ of walk(store, rootref, limits));
    },
    async listKeys(store: MemoryStore, rootref: string, limits: object) {
      const options = { recursive: true, onFault: () => {}, ...limits }
      for await (const _ of listKeys(new SnapshotReader({ store, rootref }), [], options));
    },
    async listDirEntries(store: MemoryStore, rootref: string, limits: object) {
      const options = { recursive: true, valueBytes: 0, ...limits }
      for await (const _ of listDirEntries(new SnapshotReader({ store, rootref }), '.', options));
    },
    async diff(store: MemoryStore, rootref: string, limits: object) {
      const blobs = new Blobs()
      const empty = { store: new MemoryStore(blobs), rootref: blobs.tree({}) }
      for await (const _ of diff(empty, { store, rootref }, limits));
    },
  }

  for (const [what, run] of Object.entries(GOES_THROUGH)) {
    it(`are not gone through beyond a number of keys, or levels: ${what}`, async () => {
      const blobs = new Blobs()
      const store = new MemoryStore(blobs)
      const wide = doubled(blobs, sound(blobs), 30)
      expect(await run(store, wide, { maxKeys: 3000 }).catch(codeOf)).to.deep.equal([
        'EOVERFLOW',
        'more than 3000 values, links and directories',
        'directories may be referred to from many places; --max-keys N allows more',
      ])
      const deep = chain(blobs, sound(blobs), 100)
      expect(await run(store, deep, { maxDepth: 99 }).catch(codeOf)).to.deep.equal([
        'EOVERFLOW',
        'd.d.d.d…: more than 99 directories, one in another',
        '--max-depth N allows more',
      ])
      await run(store, deep, { maxDepth: 100, maxKeys: 201 })
      expect(await run(store, chain(blobs, sound(blobs), 10_001), {}).catch(codeOf)).to.include('EOVERFLOW')
    })
  }

  for (const [what, run] of Object.entries(GOES_THROUGH)) {
    it(`are counted when the same directories come again and again, before they are gone through: ${what}`, async () => {
      const blobs = new Blobs()
      const store = new MemoryStore(blobs)
      const wide = doubled(blobs, sound(blobs), 30)
      expect(await run(store, wide, {}).catch(codeOf)).to.deep.equal(['EOVERFLOW', COUNTED, '--max-keys N allows more'])
      expect(store.asked.length).to.be.lessThan(50_000)
      // 2^14 directories, one of which is the root, and 2^13 values.
      const few = doubled(blobs, sound(blobs), 13)
      const keys = 2 ** 14 - 2 + 2 ** 13
      await run(store, few, {})
      await run(store, few, { maxKeys: keys })
      expect(await run(store, few, { maxKeys: keys - 1 }).catch(codeOf)).to.include('EOVERFLOW')
    })
  }

  it('are compared by what differs alone, however large the rest is', async () => {
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const wide = { data: [doubled(blobs, sound(blobs), 30)], type: 'dirref', ver: 1 }
    const [a, b] = ['1', '2'].map((text) => ({ store, rootref: blobs.tree({ wide, v: val(text) }) }))
    const keys: string[] = []
    for await (const changes of diff(a as Side, b as Side, { maxKeys: 2, maxDepth: 1 })) {
      keys.push(...changes.map(({ key }) => key))
    }
    expect(keys).to.deep.equal(['v'])
  })

  it('are not compared for ever where a directory contains itself', async () => {
    const blobs = new Blobs()
    const ref = `sha1-${'1'.repeat(40)}`
    const loop = (name: string) => {
      const dirref = `{"data":["${ref}"],"type":"dirref","ver":1}`
      blobs.set(ref, Buffer.from(`{"data":{"a":${dirref},"${name}":${dirref}},"type":"dir","ver":1}`))
      return { store: new MemoryStore(new Map(blobs) as Blobs), rootref: ref }
    }
    const [self, empty] = [loop('b'), { store: new MemoryStore(blobs), rootref: blobs.tree({}) }]
    const walked = async () => {
      for await (const _ of diff(self, empty, { maxDepth: 500 }));
    }
    expect(await walked().catch(codeOf)).to.deep.equal([
      'EOVERFLOW',
      'a.a.a.a…: more than 500 directories, one in another',
      '--max-depth N allows more',
    ])
  })

  it('are as deep as is allowed where directories stand in their parents, too', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: raw('dir', { b: raw('dir', { c: val('1') }) }), z: dir({}) })
    const names: string[] = []
    const walked = async (maxDepth: number) => {
      for await (const batch of walk(new MemoryStore(blobs), rootref, { maxDepth })) {
        for (const { name } of batch) names.push(name)
      }
    }
    await walked(2)
    expect(names).to.deep.equal(['c'])
    expect(await walked(1).catch(codeOf)).to.include('EOVERFLOW')
  })
})
