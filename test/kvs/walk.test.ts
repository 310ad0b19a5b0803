import { expect } from 'chai'
import fc from 'fast-check'
import { type BlobResult, ContentError } from '../../src/content/index.ts'
import {
  type Dir,
  type Entry,
  keyOf,
  MAX_DIR_BYTES,
  type TreeError,
  type WalkOptions,
  walk,
} from '../../src/kvs/index.ts'
import { Gate } from '../support/gate.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref } from '../support/trees.ts'

/** Does not load large blobs beside others, as a store on disk. */
class NarrowStore extends MemoryStore {
  /** How often a large blob was loaded alone. */
  loadsAlone = 0
  /** Called when one is. */
  onLoadAlone: ((result: BlobResult) => BlobResult) | undefined

  override async loadBatch(blobrefs: readonly string[], budget: number, maxBlobBytes = 0): Promise<BlobResult[]> {
    const results = await super.loadBatch(blobrefs, budget)
    return results.map((result, i) => {
      if (!(result instanceof Uint8Array && result.length > 10_000)) return result
      if (maxBlobBytes < MAX_DIR_BYTES) return new ContentError('EFBIG', blobrefs[i] as string, 'File too large')
      this.loadsAlone++
      return this.onLoadAlone ? this.onLoadAlone(result) : result
    })
  }
}

async function textOf(entry: Entry): Promise<string> {
  if (entry.type === 'symlink')
    return `-> ${entry.namespace === undefined ? '' : `${entry.namespace}::`}${entry.target}`
  const parts: Uint8Array[] = [...(entry.parts ?? [])]
  if (entry.stream) for await (const more of entry.stream()) parts.push(...more)
  const value = Buffer.concat(parts)
  expect(value.length).to.equal(entry.size)
  return value.length > 100 ? `${value.length} bytes` : value.toString()
}

/** All entries, as `key=value`. */
async function walkAll(store: MemoryStore, rootref: string, options: WalkOptions = {}): Promise<string[]> {
  const seen: string[] = []
  for await (const batch of walk(store, rootref, options)) {
    expect(batch.length).to.be.greaterThan(0)
    for (const entry of batch) seen.push(`${keyOf(entry.dir, entry.name)}=${await textOf(entry)}`)
  }
  return seen
}

/** What a walk of a literal must yield, found by recursion. */
function flatten(entries: Record<string, Tree>, prefix = ''): string[] {
  const names = Object.keys(entries).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return names.flatMap((name) => {
    const tree = entries[name] as Tree
    if ('entries' in tree) return flatten(tree.entries, `${prefix}${name}.`)
    if ('blobs' in tree) return [`${prefix}${name}=${Buffer.concat(tree.blobs.map((blob) => Buffer.from(blob)))}`]
    if (tree.type === 'dir') return flatten(tree.data as Record<string, Tree>, `${prefix}${name}.`)
    if (tree.type === 'symlink') return [`${prefix}${name}=-> ${(tree.data as { target: string }).target}`]
    return [`${prefix}${name}=${Buffer.from(tree.data as string, 'base64')}`]
  })
}

const name = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', 'z', '0', '1', 'é', '\u{1f600}') })
const { tree } = fc.letrec<{ tree: Tree; entries: Record<string, Tree> }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.string({ maxLength: 5 }).map(val),
    fc.array(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 4 }).map((blobs) => valref(...blobs)),
    fc.string({ maxLength: 5 }).map((target) => symlink(target)),
    tie('entries').map(dir),
    fc.dictionary(name, fc.string({ maxLength: 3 }).map(val)).map((data) => raw('dir', data)),
  ),
  entries: fc.dictionary(name, tie('tree'), { maxKeys: 6 }),
}))

describe('kvs/walk', () => {
  it('yields values and symlinks depth first, names in byte order, directories not at all', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({
      b: dir({ z: val('1'), a: valref('two', '-', 'parts'), empty: dir({}) }),
      a: dir({ b: dir({ c: val('deep') }) }),
      'a.b': val('unreachable'),
      c: symlink('a.b.c', 'guest'),
      B: val(''),
      inline: raw('dir', { x: val('in') }),
    })
    expect(await walkAll(new MemoryStore(blobs), rootref)).to.deep.equal([
      'B=',
      'a.b.c=deep',
      'a.b=unreachable',
      'b.a=two-parts',
      'b.z=1',
      'c=-> guest::a.b.c',
      'inline.x=in',
    ])
  })

  it('yields the last first in reverse', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: dir({ x: val('1'), y: valref('2') }), b: val('3'), c: raw('dir', { z: val('4') }) })
    const seen = await walkAll(new MemoryStore(blobs), rootref, { reverse: true })
    expect(seen).to.deep.equal(['c.z=4', 'b=3', 'a.y=2', 'a.x=1'])
  })

  it('says of each directory when it is entered, before its entries and after those of the last', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, tree, { maxKeys: 6 }),
        fc.integer({ min: 1, max: 20 }),
        async (entries, window) => {
          const blobs = new Blobs()
          const store = new MemoryStore(blobs)
          store.window = window
          const entered: Dir[] = []
          const rootref = blobs.tree(entries)
          for await (const batch of walk(store, rootref, { onDir: (dir) => entered.push(dir) })) {
            const order = batch.map(({ dir }) => entered.indexOf(dir))
            expect(order).not.to.include(-1)
          }
          const dirs = (tree: Record<string, Tree>): number =>
            Object.values(tree).reduce((sum, child) => {
              if ('entries' in child) return sum + dirs(child.entries)
              return 'type' in child && child.type === 'dir' ? sum + dirs(child.data as Record<string, Tree>) : sum
            }, 1)
          expect(entered).to.have.length(dirs(entries))
        },
      ),
      { numRuns: 50 },
    )
  })

  it('yields the same in the same order whatever the window is and however late blobs come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, tree, { maxKeys: 6 }),
        fc.integer({ min: 1, max: 20 }),
        fc.infiniteStream(fc.nat(3)),
        fc.boolean(),
        fc.constantFrom(1, 50, 1 << 20),
        async (entries, window, delays, obeyBudget, windowBytes) => {
          const blobs = new Blobs()
          const store = new MemoryStore(blobs)
          const rootref = blobs.tree(entries)
          store.window = window
          store.obeyBudget = obeyBudget
          store.delay = () => delays.next().value
          expect(await walkAll(store, rootref, { windowBytes })).to.deep.equal(flatten(entries))
          expect(store.mostInFlight).to.be.at.most(window)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('asks for each blob of the tree once', async () => {
    const blobs = new Blobs()
    const entries: Record<string, Tree> = {}
    for (let n = 0; n < 500; n++) entries[`k${n}`] = valref(`value ${n}`)
    const store = new MemoryStore(blobs)
    const rootref = blobs.tree({ a: dir(entries), b: dir({ c: dir({ d: valref('x') }) }) })
    await walkAll(store, rootref)
    expect(store.asked.toSorted()).to.deep.equal([...blobs.keys()].toSorted())
  })

  it('keeps the window full while it walks a flat directory', async () => {
    const blobs = new Blobs()
    const entries: Record<string, Tree> = {}
    for (let n = 0; n < 200; n++) entries[`k${n}`] = valref(`value ${n}`)
    const store = new MemoryStore(blobs)
    store.window = 32
    store.delay = () => 2
    await walkAll(store, blobs.tree(entries))
    expect(store.mostInFlight).to.equal(32)
  })

  it('loads no further ahead than its bytes allow', async () => {
    const blobs = new Blobs()
    const entries: Record<string, Tree> = {}
    for (let n = 0; n < 64; n++) entries[`k${String(n).padStart(2, '0')}`] = valref(Buffer.alloc(100_000, n))
    const store = new MemoryStore(blobs)
    store.window = 4
    const rootref = blobs.tree(entries)
    const walking = walk(store, rootref, { windowBytes: 400_000 })
    const first = await walking.next()
    await store.idle()
    // The root, what has been yielded, the four that fill the window and the four that were on the way.
    expect(store.asked.length).to.be.at.most(1 + (first.value?.length ?? 0) + 8)
    await walking.return()
  })

  it('streams a value that is too large to hold, whole and in order', async () => {
    const blobs = new Blobs()
    const parts = Array.from({ length: 40 }, (_, n) => Buffer.alloc(1 << 20, n))
    const store = new MemoryStore(blobs)
    store.obeyBudget = true
    const rootref = blobs.tree({ a: val('1'), big: valref(...parts), z: valref('last') })
    const order: string[] = []
    for await (const batch of walk(store, rootref)) {
      for (const entry of batch) {
        order.push(entry.name)
        if (entry.name !== 'big' || entry.type !== 'value') continue
        expect(entry.parts).to.equal(undefined)
        expect(entry.size).to.equal(40 << 20)
        let n = 0
        for await (const some of entry.stream?.() ?? []) {
          for (const part of some) expect(part[5]).to.equal(n++)
        }
        expect(n).to.equal(40)
      }
    }
    expect(order).to.deep.equal(['a', 'big', 'z'])
  })

  describe('a directory that is too large to load beside others', () => {
    const large = (text: string) =>
      dir(Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`k${n}`, valref(`${text} ${n}`)])))
    const entries = { a: valref('first'), b: large('b'), c: dir({ d: large('c.d') }), e: large('e'), f: valref('last') }

    it('is loaded alone, and has its place in the order', async () => {
      const blobs = new Blobs()
      const store = new NarrowStore(blobs)
      expect(await walkAll(store, blobs.tree(entries))).to.deep.equal(flatten(entries))
      expect(store.loadsAlone).to.equal(3)
    })

    it('is left out and reported when it cannot be read then', async () => {
      const blobs = new Blobs()
      const store = new NarrowStore(blobs)
      const rootref = blobs.tree(entries)
      const lost = `sha1-${'4'.repeat(40)}`
      store.onLoadAlone = (result) => (store.loadsAlone === 2 ? new ContentError('EIO', lost, 'i/o error') : result)
      const errors: TreeError[] = []
      const seen = await walkAll(store, rootref, { onFault: (error) => errors.push(error) })
      expect(errors).to.have.length(1)
      const [{ key = '', code } = {}] = errors
      expect(['b', 'c.d', 'e']).to.include(key)
      expect(code).to.equal('EIO')
      expect(seen).to.deep.equal(flatten(entries).filter((line) => !line.startsWith(`${key}.`)))
    })

    it('ends the walk when the store fails as a whole', async () => {
      const blobs = new Blobs()
      const store = new NarrowStore(blobs)
      const rootref = blobs.tree(entries)
      store.onLoadAlone = () => {
        throw new Error('the broker is gone')
      }
      expect(await walkAll(store, rootref).catch((error) => error.message)).to.equal('the broker is gone')
      expect(store.loadsAlone).to.equal(1)
    })
  })

  it('walks a tree deeper than any stack', async () => {
    const blobs = new Blobs()
    let ref = blobs.store(blobs.dirText({ leaf: val('end') }))
    for (let n = 0; n < 3000; n++)
      ref = blobs.store(`{"data":{"d":{"data":["${ref}"],"type":"dirref","ver":1}},"type":"dir","ver":1}`)
    const [entry] = await walkAll(new MemoryStore(blobs), ref)
    expect(entry).to.equal(`${'d.'.repeat(3000)}leaf=end`)
  })

  describe('what cannot be read', () => {
    const damaged = () => {
      const blobs = new Blobs()
      const lost = `sha1-${'1'.repeat(40)}`
      const notDir = blobs.store('{"data":"","type":"val","ver":1}')
      const notTree = blobs.store('smurf')
      const rootref = blobs.tree({
        a: valref('fine'),
        b: raw('valref', [blobs.store('half'), lost]),
        c: raw('dirref', [lost]),
        d: raw('dirref', [notDir]),
        e: dir({ x: raw('dirref', [notTree]), y: val('also fine') }),
        f: raw('dirref', [lost, lost]),
        g: raw('val', '?'),
        h: valref('fine too'),
      })
      return { store: new MemoryStore(blobs), rootref, lost, notDir, notTree }
    }

    it('is left out and reported in order, each with its kind and key', async () => {
      const { store, rootref, lost, notDir, notTree } = damaged()
      const errors: TreeError[] = []
      const seen = await walkAll(store, rootref, { onFault: (error) => errors.push(error) })
      expect(seen).to.deep.equal(['a=fine', 'e.y=also fine', 'h=fine too'])
      expect(errors.map(({ key, kind, code }) => [key, kind, code])).to.deep.equal([
        ['b', 'missing-value', 'ENOENT'],
        ['c', 'missing-dir', 'ENOENT'],
        ['d', 'not-a-dir', 'EPROTO'],
        ['e.x', 'bad-treeobj', 'EPROTO'],
        ['f', 'bad-dirref', 'EPROTO'],
        ['g', 'bad-value', 'EINVAL'],
      ])
      expect(errors.map(({ message }) => message)).to.deep.include.members([
        `b: missing blobref 1: No such file or directory (${lost})`,
        `c: could not load content: No such file or directory (${lost})`,
        `d: dirref references non-directory (${notDir})`,
        'f: dirref blobref count is not 1',
        'g: invalid value object: Invalid argument',
      ])
      expect(errors[3]?.message).to.match(new RegExp(`^e.x: could not decode tree object: .* \\(${notTree}\\)$`))
    })

    it('stops the walk at the first in order, not at the first to arrive', async () => {
      for (const delay of [0, 3]) {
        const { store, rootref } = damaged()
        let first = true
        store.delay = () => {
          const turns = first ? delay : 0
          first = false
          return turns
        }
        const error = await walkAll(store, rootref).catch((e) => e)
        expect(error).to.include({ key: 'b', kind: 'missing-value' })
      }
    })

    it('is the whole walk when it is the root', async () => {
      const store = new MemoryStore(new Blobs())
      const error = await walkAll(store, `sha1-${'1'.repeat(40)}`).catch((e) => e)
      expect(error.message).to.match(/^\.: could not load content: No such file or directory/)
    })

    it('is a value too large to hold, too', async () => {
      const blobs = new Blobs()
      const parts = Array.from({ length: 30 }, (_, n) => blobs.store(Buffer.alloc(1 << 20, n)))
      const rootref = blobs.tree({ big: raw('valref', [...parts, `sha1-${'2'.repeat(40)}`]), z: val('1') })
      const errors: TreeError[] = []
      const seen = await walkAll(new MemoryStore(blobs), rootref, { onFault: (error) => errors.push(error) })
      expect(seen).to.deep.equal(['z=1'])
      expect(errors[0]?.message).to.match(/^big: missing blobref 30: /)
    })

    it('is a value whose blob a store that can only load it calls too large', async () => {
      const blobs = new Blobs()
      const rootref = blobs.tree({ a: valref('first'), big: valref(Buffer.alloc(20_000)), z: valref('last') })
      const errors: TreeError[] = []
      // It is no store on disk, so nothing can be streamed.
      const seen = await walkAll(new NarrowStore(blobs), rootref, { onFault: (error) => errors.push(error) })
      expect(seen).to.deep.equal(['a=first', 'z=last'])
      expect(errors.map(({ key, kind, code }) => [key, kind, code])).to.deep.equal([['big', 'missing-value', 'EFBIG']])
    })

    it('is a directory that contains itself, in a store that is not verified', async () => {
      const blobs = new Blobs()
      const own = `sha1-${'3'.repeat(40)}`
      blobs.set(
        own,
        Buffer.from(
          `{"data":{"a":{"data":"","type":"val","ver":1},"again":{"data":["${own}"],"type":"dirref","ver":1}},"type":"dir","ver":1}`,
        ),
      )
      const errors: TreeError[] = []
      expect(await walkAll(new MemoryStore(blobs), own, { onFault: (error) => errors.push(error) })).to.deep.equal([
        'a=',
      ])
      expect(errors.map(({ code, message }) => [code, message])).to.deep.equal([
        ['ELOOP', `again: directory contains itself (${own})`],
      ])
    })
  })

  it('throws what the store fails with as a whole', async () => {
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    store.failure = new Error('the broker is gone')
    expect(await walkAll(store, blobs.tree({ a: val('1') })).catch((e) => e.message)).to.equal('the broker is gone')
  })

  it('stops when its signal is aborted, also while it waits', async () => {
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const controller = new AbortController()
    // Never opened: the walk must not wait for what it has asked for.
    const gate = new Gate()
    store.gate = gate
    const walking = walkAll(store, blobs.tree({ a: val('1') }), { signal: controller.signal })
    await gate.reached
    controller.abort()
    expect(await walking.catch((e) => e.code)).to.equal('EINTR')
  })

  it('asks for nothing more when it is abandoned', async () => {
    const blobs = new Blobs()
    const entries: Record<string, Tree> = {}
    for (let n = 0; n < 5000; n++) entries[`k${n}`] = valref(`value ${n}`)
    const store = new MemoryStore(blobs)
    const rootref = blobs.tree(entries)
    for await (const _ of walk(store, rootref)) break
    const asked = store.asked.length
    await store.idle()
    expect(store.asked.length).to.equal(asked)
    expect(asked).to.be.lessThan(5000)
  })
})
