import { expect } from 'chai'
import fc from 'fast-check'
import { blobrefOf } from '../../src/content/index.ts'
import { symlinkText, valText } from '../../src/kvs/index.ts'
import { TreeBuilder } from '../../src/restore/index.ts'
import { Blobs, dir, type Tree, val, valref } from '../support/trees.ts'

const leaf = (text: string) => valText(Buffer.from(text))

async function build(tree: TreeBuilder, batches: number[] = []) {
  const stored = new Set<string>()
  const rootref = await tree.build(async (blobs) => {
    batches.push(blobs.length)
    const blobrefs = blobs.map((blob) => blobrefOf('sha1', blob))
    for (const blobref of blobrefs) stored.add(blobref)
    return blobrefs
  })
  return { rootref, stored }
}

describe('restore/tree-builder', () => {
  it('builds the tree that its leaves make', async () => {
    const tree = new TreeBuilder()
    for (const key of ['a.b.c', 'z', 'a.b.d', 'q', 'a.x']) tree.put(key.split('.'), leaf(key))
    const blobs = new Blobs()
    const rootref = blobs.tree({
      a: dir({ b: dir({ c: val('a.b.c'), d: val('a.b.d') }), x: val('a.x') }),
      q: val('q'),
      z: val('z'),
    })
    const built = await build(tree)
    expect(built.rootref).to.equal(rootref)
    expect([...built.stored]).to.have.members([...blobs.keys()])
    expect(tree.leaves).to.equal(5)
  })

  it('is an empty directory without leaves', async () => {
    expect((await build(new TreeBuilder())).rootref).to.equal('sha1-c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91')
  })

  it('lets a later leaf take the place of an earlier one', async () => {
    const tree = new TreeBuilder()
    expect(tree.put(['a'], leaf('1'))).to.equal(false)
    expect(tree.put(['a'], leaf('2'))).to.equal(true)
    expect(tree.leaves).to.equal(1)
    expect((await build(tree)).rootref).to.equal(new Blobs().tree({ a: val('2') }))
  })

  it('refuses a key that would be both value and directory, whichever comes first', () => {
    const below = new TreeBuilder()
    below.put(['a'], leaf('1'))
    expect(() => below.put(['a', 'b'], leaf('2')))
      .to.throw('a/b: a is a value elsewhere')
      .with.property('code', 'ENOTDIR')
    const above = new TreeBuilder()
    above.put(['a', 'b'], leaf('1'))
    expect(() => above.put(['a'], leaf('2')))
      .to.throw('a: is a value here')
      .with.property('code', 'EISDIR')
  })

  it('takes values by their blobref alone, and finds leaves again', async () => {
    const tree = new TreeBuilder()
    const blobref = `sha1-${'a'.repeat(40)}`
    const link = symlinkText('x', undefined)
    tree.put(['d', 'link'], link)
    tree.put(['d', 'value'], blobref)
    expect(tree.get(['d', 'link'])).to.equal(link)
    expect(tree.get(['d', 'value'])).to.equal(blobref)
    expect(tree.get(['d'])).to.equal(undefined)
    expect(tree.get(['d', 'value', 'x'])).to.equal(undefined)
    const entries: Record<string, Tree> = {
      link: { data: { target: 'x' }, type: 'symlink', ver: 1 },
      value: { data: [blobref], type: 'valref', ver: 1 },
    }
    expect((await build(tree)).rootref).to.equal(new Blobs().tree({ d: dir(entries) }))
  })

  it('takes names that are members of every object', async () => {
    const tree = new TreeBuilder()
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) tree.put([name, 'x'], leaf(name))
    const entries = Object.create(null) as Record<string, Tree>
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) entries[name] = dir({ x: val(name) })
    expect((await build(tree)).rootref).to.equal(new Blobs().tree(entries))
  })

  it('is deeper than any stack, and stores many directories a batch at a time', async () => {
    const deep = new TreeBuilder()
    deep.put(new Array(50_000).fill('d'), leaf('x'))
    expect((await build(deep)).stored.size).to.equal(50_000)
    const wide = new TreeBuilder()
    for (let n = 0; n < 5000; n++) wide.put([`d${n}`, 'x'], leaf('x'))
    const batches: number[] = []
    await build(wide, batches)
    expect(Math.max(...batches)).to.be.at.most(1024)
    expect(batches.reduce((sum, length) => sum + length)).to.equal(5001)
  })

  it('gives the same root in whatever order leaves come', async () => {
    const keys = ['a.b', 'a.c', 'd', 'e.f.g', 'e.f.h', 'e.i', '0', '10', '9']
    const root = async (order: readonly string[]) => {
      const tree = new TreeBuilder()
      for (const key of order) tree.put(key.split('.'), leaf(key))
      return (await build(tree)).rootref
    }
    const wanted = await root(keys)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(keys, { minLength: keys.length }), async (order) => {
        expect(await root(order)).to.equal(wanted)
      }),
    )
  })

  describe('in whatever order leaves come, and however little fits into memory', () => {
    /** Names that are sorted by their bytes, by code units or as numbers, and such that need an escape. */
    const name = fc.constantFrom(
      'a',
      'b',
      'B',
      '10',
      '9',
      'é',
      '\u{1f600}',
      '\uffee',
      'q"',
      'tab\t',
      '__proto__',
      'x.y',
    )
    /** A key cannot be both: the names of directories begin with a d. */
    const key = fc
      .tuple(fc.array(name, { maxLength: 3 }), name)
      .map(([dirs, last]) => [...dirs.map((n) => `d${n}`), last])
    const put = fc.record({ key, text: fc.string({ maxLength: 3 }), isLarge: fc.boolean() })
    const little = { heldBytes: 0, budgetBytes: 200 }

    function fill(tree: TreeBuilder, puts: readonly { key: string[]; text: string; isLarge: boolean }[]) {
      return puts.map(({ key, text, isLarge }) =>
        tree.put(key, isLarge ? blobrefOf('sha1', Buffer.from(text)) : leaf(text), text.length),
      )
    }

    it('stores the directories of the tree, each once, and nothing else', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(put, { maxLength: 60 }), async (puts) => {
          const tree = new TreeBuilder(little)
          const last = new Map(puts.map((one) => [JSON.stringify(one.key), one]))
          const twice = puts.length - last.size
          expect(fill(tree, puts).filter((isTwice) => isTwice)).to.have.length(twice)
          const root: Record<string, Tree> = Object.create(null)
          const dirs = new Set<string>([''])
          for (const { key, text, isLarge } of last.values()) {
            let at = root
            for (const [i, step] of key.slice(0, -1).entries()) {
              dirs.add(JSON.stringify(key.slice(0, i + 1)))
              const below = (at[step] ??= dir(Object.create(null))) as { entries: Record<string, Tree> }
              at = below.entries
            }
            at[key.at(-1) as string] = isLarge ? valref(text) : val(text)
          }
          const blobs = new Blobs()
          const rootref = blobs.tree(root)
          const values = new Set(
            [...last.values()].filter((one) => one.isLarge).map(({ text }) => blobrefOf('sha1', Buffer.from(text))),
          )
          const batches: number[] = []
          const built = await build(tree, batches)
          expect(built.rootref).to.equal(rootref)
          expect([...built.stored]).to.have.members([...blobs.keys()].filter((blobref) => !values.has(blobref)))
          expect(batches.reduce((sum, n) => sum + n, 0)).to.equal(dirs.size)
          expect(tree.leaves).to.equal(last.size)
          expect(tree.bytes).to.equal([...last.values()].reduce((sum, { text }) => sum + text.length, 0))
        }),
        { numRuns: 200 },
      )
    })

    it('finds a leaf again, also in a directory that is complete, and refuses the same keys', () => {
      fc.assert(
        fc.property(
          fc.array(put, { minLength: 1, maxLength: 60 }),
          fc.array(fc.nat(), { maxLength: 20 }),
          (puts, picks) => {
            const tree = new TreeBuilder(little)
            fill(tree, puts)
            const sizes = new Map(puts.map(({ key, text }) => [JSON.stringify(key), text.length]))
            for (const pick of picks) {
              const { key } = puts[pick % puts.length] as { key: string[] }
              expect(tree.find(key)?.size).to.equal(sizes.get(JSON.stringify(key)))
              expect(tree.find([...key, 'x'])).to.equal(undefined)
              expect(tree.find(key.with(-1, 'none'))).to.equal(undefined)
              expect(() => tree.put([...key, 'x'], leaf(''))).to.throw('and no directory')
              if (key.length > 1) expect(() => tree.put(key.slice(0, -1), leaf(''))).to.throw('has keys below it')
            }
          },
        ),
      )
    })

    it('gives the same root from a temporary file', async () => {
      const big = Array.from({ length: 300 }, (_, n) => ['big', `${n}`])
      const small = Array.from({ length: 3000 }, (_, n) => [`d${(n * 7) % 1000}`, `e${n % 3}`, `${n}`])
      const keys = [...big, ...small, ['big', 'last']]
      const plain = new TreeBuilder()
      for (const key of keys) plain.put(key, leaf(key.join('')))
      const spilling = new TreeBuilder(little)
      for (const key of keys) {
        spilling.put(key, leaf(key.join('')))
        if (spilling.isFull) await spilling.spill()
      }
      expect(spilling.get(['d0', 'e0', '0'])).to.equal(leaf('d0e00'))
      const built = await build(spilling)
      expect(built).to.deep.equal(await build(plain))
      await spilling.close()
    })

    it('says where a temporary file cannot be made', async () => {
      const tree = new TreeBuilder({ ...little, scratchDir: '/nowhere' })
      for (let n = 0; n < 3000; n++) tree.put([`d${n}`, 'x'], leaf('x'))
      expect(tree.isFull).to.equal(true)
      const error = await tree.spill().catch((thrown) => thrown)
      expect(error).to.include({ code: 'ENOENT' })
      expect(error.message).to.match(/^cannot write a temporary file in \/nowhere: /)
    })
  })
})
