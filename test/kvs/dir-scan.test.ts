import { expect } from 'chai'
import { type BlobResult, ContentError, type ContentStore } from '../../src/content/index.ts'
import { type DirEntries, DirScan, type DirVisitor, ENTRY } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, raw, symlink, val, valref } from '../support/trees.ts'

/** Counts what a scan visits. Directories are numbered as they are found. */
class Counter implements DirVisitor {
  readonly dirs: number[] = []
  readonly values: number[] = []
  readonly links: number[] = []
  readonly faults: number[] = []
  blobs = 0
  #next = 1
  readonly #seen = new Set<string>()

  onDir(place: number): void {
    this.dirs.push(place)
  }

  onDirref(_place: number, digest: Uint8Array): number | undefined {
    const hex = Buffer.from(digest).toString('hex')
    if (this.#seen.has(hex)) return undefined
    this.#seen.add(hex)
    return this.#next++
  }

  onValue(place: number, entry: DirEntries): void {
    this.values.push(place)
    if (entry.type === ENTRY.VALREF) this.blobs += entry.refCount
  }

  onLink(place: number): void {
    this.links.push(place)
  }

  onFault(place: number): void {
    this.faults.push(place)
  }
}

/** Leaves out most of a batch, and does not load large blobs beside others. */
class PartialStore extends MemoryStore {
  override async loadBatch(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    const results = await super.loadBatch(blobrefs, budgetBytes)
    return results.map((result, i) => {
      if (budgetBytes === 1) return result
      if (i % 3 > 0) return undefined
      const isLarge = result instanceof Uint8Array && result.length > 10_000
      return isLarge ? new ContentError('EFBIG', blobrefs[i] as string, 'File too large') : result
    })
  }
}

async function scan(store: ContentStore, ...roots: string[]): Promise<Counter> {
  const counter = new Counter()
  await new DirScan(store, counter, undefined).run(roots)
  return counter
}

describe('kvs/dir-scan', () => {
  for (const hash of ['sha1', 'sha256'] as const) {
    it(`visits each directory once, with all that is in it: ${hash}`, async () => {
      const blobs = new Blobs(hash)
      const shared = dir({ s: valref('one', 'two') })
      const root = blobs.tree({
        a: shared,
        b: shared,
        c: dir({ deep: dir({ v: val('x'), l: symlink('a') }), 'ä"': valref('three') }),
        v: val('y'),
      })
      const { dirs, values, links, faults, blobs: found } = await scan(new MemoryStore(blobs), root, root)
      expect({ dirs: dirs.length, links: links.length, faults, found }).to.deep.equal({
        dirs: 4,
        links: 1,
        faults: [],
        found: 3,
      })
      expect(values).to.have.length(4)
      expect(dirs[0]).to.equal(1)
    })
  }

  it('counts an inline directory at the place around it', async () => {
    const blobs = new Blobs()
    const inner = { type: 'dir', ver: 1, data: { v: { type: 'val', ver: 1, data: '' } } }
    const root = blobs.tree({ a: raw('dir', { b: inner, w: { type: 'val', ver: 1, data: '' } }), x: val('1') })
    const { dirs, values } = await scan(new MemoryStore(blobs), root)
    expect({ dirs, values }).to.deep.equal({ dirs: [1, 1, 1], values: [1, 1, 1] })
  })

  it('reports each directory and entry that cannot be read, and goes on', async () => {
    const blobs = new Blobs()
    const lost = `sha1-${'1'.repeat(40)}`
    const foreign = `sha256-${'2'.repeat(64)}`
    const root = blobs.tree({
      a: raw('dirref', [lost]),
      b: raw('dirref', [foreign]),
      c: raw('dirref', [blobs.store('no JSON')]),
      d: raw('dirref', [lost, lost]),
      e: raw('nothing', 1),
      f: dir({ v: valref('sound') }),
    })
    const { dirs, values, faults } = await scan(new MemoryStore(blobs), root)
    expect({ dirs: dirs.length, values: values.length, faults: faults.length }).to.deep.equal({
      dirs: 2,
      values: 1,
      faults: 5,
    })
    // The entries are faults of the root; the others are faults of the directories that cannot be read.
    expect(faults.filter((place) => place === 1)).to.have.length(2)
  })

  it('asks again for what a store leaves out, and loads a large directory alone', async () => {
    const blobs = new Blobs()
    const names = Object.fromEntries(
      Array.from({ length: 3000 }, (_, i) => [`n${i}`, dir({ [`v${i}`]: valref(`${i}`) })]),
    )
    const root = blobs.tree(names)
    const store = new PartialStore(blobs)
    const { dirs, blobs: found, faults } = await scan(store, root)
    expect({ dirs: dirs.length, found, faults }).to.deep.equal({ dirs: 3001, found: 3000, faults: [] })
  })
})
