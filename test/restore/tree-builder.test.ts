import { expect } from 'chai'
import fc from 'fast-check'
import { blobrefOf } from '../../src/content/index.ts'
import { symlinkText, valText } from '../../src/kvs/index.ts'
import { TreeBuilder } from '../../src/restore/index.ts'
import { Blobs, dir, type Tree, val } from '../support/trees.ts'

const leaf = (text: string) => ({ text: valText(Buffer.from(text)) })

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
    const link = { text: symlinkText('x', undefined) }
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

  it('is deeper than any stack, and stores many directories a level at a time', async () => {
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
})
