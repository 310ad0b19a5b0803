import { expect } from 'chai'
import { type BlobResult, ContentError, type ContentStore } from '../../src/content/index.ts'
import { FluxError } from '../../src/errors/index.ts'
import { type DirEntries, DirScan, type DirVisitor, ENTRY } from '../../src/kvs/index.ts'
import { Gate } from '../support/gate.ts'
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

  it('gives what is in each of many directories at the place of that one', async () => {
    const blobs = new Blobs()
    const names = Object.fromEntries(
      Array.from({ length: 3000 }, (_, i) => [`n${i}`, dir({ [`v${i}`]: valref(`${i}`) })]),
    )
    const root = blobs.tree(names)
    const digests = new Map<number, string>()
    const found: string[] = []
    const visitor: DirVisitor = {
      onDir() {},
      onDirref(_place, digest) {
        digests.set(digests.size + 1, Buffer.from(digest).toString('hex'))
        return digests.size
      },
      onValue: (place, entry) => found.push(`${digests.get(place)} ${entry.name}`),
      onLink() {},
      onFault() {},
    }
    // It leaves out two of three, so the queue is used from its front while it grows.
    await new DirScan(new PartialStore(blobs), visitor, undefined).run([root])
    const isOfDir = ([blobref, blob]: [string, Uint8Array]) => {
      const name = /^\{"data":\{"(v\d+)"/.exec(Buffer.from(blob).toString('latin1'))?.[1]
      return name === undefined ? [] : [`${blobref.slice('sha1-'.length)} ${name}`]
    }
    expect(found.sort()).to.deep.equal([...blobs].flatMap(isOfDir).sort())
  })

  it('reports an empty blob, and a large one that cannot be loaded alone either', async () => {
    const blobs = new Blobs()
    const [empty, tooLarge] = [blobs.store(''), blobs.store('too large')]
    const lost = `sha1-${'1'.repeat(40)}`
    const root = blobs.tree({
      a: raw('dirref', [empty]),
      b: raw('dirref', [tooLarge]),
      c: raw('dirref', [lost]),
      d: val('1'),
    })
    class Refusing extends MemoryStore {
      override async loadBatch(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
        const results = await super.loadBatch(blobrefs, budgetBytes)
        return results.map((result, i) =>
          blobrefs[i] === tooLarge ? new ContentError('EFBIG', tooLarge, 'File too large') : result,
        )
      }
    }
    const store = new Refusing(blobs)
    const { dirs, values, faults } = await scan(store, root)
    expect({ dirs, values, faults }).to.deep.equal({ dirs: [1], values: [1], faults: [2, 3, 4] })
    // Only the large one is asked for again.
    expect(store.asked).to.deep.equal([root, empty, tooLarge, lost, tooLarge])
  })

  it('has three batches under way at most', async () => {
    const blobs = new Blobs()
    const root = blobs.tree(
      Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [`n${i}`, dir({ v: val(`${i}`) })])),
    )
    const store = new MemoryStore(blobs)
    store.delay = () => 1
    const { dirs } = await scan(store, root)
    expect({ dirs: dirs.length, batch: store.largestBatch, most: store.mostInFlight }).to.deep.equal({
      dirs: 6001,
      batch: 1024,
      most: 3 * 1024,
    })
  })

  it('waits after each batch as it is told, and fails as that does', async () => {
    const blobs = new Blobs()
    const root = blobs.tree({ a: dir({ b: dir({ c: val('1') }) }) })
    const gate = new Gate()
    class Waiting extends Counter {
      batches = 0
      afterBatch(): Promise<unknown> | undefined {
        this.batches++
        if (this.batches === 1) return undefined
        if (this.batches === 2) return gate.pass()
        return Promise.reject(new FluxError('EIO', 'no room'))
      }
    }
    const store = new MemoryStore(blobs)
    const counter = new Waiting()
    const done = new DirScan(store, counter, new AbortController().signal).run([root]).catch((error) => error)
    await store.idle()
    expect({ dirs: counter.dirs, batches: counter.batches }).to.deep.equal({ dirs: [1, 2], batches: 2 })
    gate.open()
    expect(await done).to.include({ code: 'EIO', message: 'no room' })
    expect({ dirs: counter.dirs, batches: counter.batches }).to.deep.equal({ dirs: [1, 2, 3], batches: 3 })
  })

  it('ends with the error of the store, and loads nothing when it is aborted before', async () => {
    const blobs = new Blobs()
    const root = blobs.tree(
      Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`n${i}`, dir({ v: val(`${i}`) })])),
    )
    const store = new MemoryStore(blobs)
    // All batches that are under way fail, of which one is waited for.
    class Failing extends Counter {
      afterBatch(): undefined {
        store.failure = new FluxError('EIO', 'the store is gone')
      }
    }
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      const error = await new DirScan(store, new Failing(), undefined).run([root]).catch((error) => error)
      expect(error).to.include({ code: 'EIO', message: 'the store is gone' })
      await store.idle()
    } finally {
      process.off('unhandledRejection', note)
    }
    expect(unhandled).to.deep.equal([])
    expect(store.asked).to.have.length(1 + 3 * 1024)
    const asked = store.asked.length
    const reason = new FluxError('EINTR', 'stopped')
    const aborted = await new DirScan(store, new Counter(), AbortSignal.abort(reason))
      .run([root])
      .catch((error) => error)
    expect(aborted).to.equal(reason)
    expect(store.asked).to.have.length(asked)
  })
})
