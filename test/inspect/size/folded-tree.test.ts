import { expect } from 'chai'
import { type FoldedNode, foldedTree, treeSums } from '../../../src/inspect/index.ts'
import { Blobs, dir, MemoryStore, onDisk, raw, type Tree, val, valref } from '../../support/trees.ts'

/** The folded tree of a store that knows the sizes of its blobs. */
async function fold(entries: Record<string, Tree>, most?: number): Promise<FoldedNode> {
  const blobs = new Blobs()
  const rootref = blobs.tree(entries)
  const sizes = (digests: Uint8Array) =>
    Float64Array.from(
      Array.from({ length: digests.length / 20 }, (_, i) => Buffer.from(digests.subarray(i * 20, i * 20 + 20))),
      (digest) => blobs.get(`sha1-${digest.toString('hex')}`)?.length ?? -1,
    )
  const store = onDisk(new MemoryStore(blobs), {
    sizes: async (blobrefs) => Float64Array.from(blobrefs, (blobref) => blobs.get(blobref)?.length ?? -1),
    sizesOf: async (digests) => sizes(digests),
  })
  const snapshot = { store, rootref }
  const sums = await treeSums(snapshot, { depth: 0 })
  return foldedTree(snapshot, sums, { most })
}

function* all(node: FoldedNode): Generator<FoldedNode> {
  yield node
  for (const child of node.children) yield* all(child)
}

const names = ({ children }: FoldedNode) => children.map(({ name }) => name)

describe('inspect/size foldedTree', () => {
  it('has directories and values by size, with the sums of du', async () => {
    const tree = await fold({
      small: valref('x'),
      large: dir({ a: valref('a'.repeat(3000)), b: dir({ c: valref('c'.repeat(5000)) }) }),
    })
    expect(names(tree)).to.deep.equal(['large', 'small'])
    const [large] = tree.children
    expect(names(large as FoldedNode)).to.deep.equal(['b', 'a'])
    expect(large?.children.map(({ bytes, keys }) => [bytes > 2999, keys])).to.deep.equal([
      [true, 1],
      [true, 1],
    ])
    for (const node of all(tree)) {
      const inside = node.children.reduce((sum, { bytes }) => sum + bytes, 0)
      expect(inside, node.name).to.be.at.most(node.bytes)
    }
  })

  it('is no more than a hundred levels deep', async () => {
    let tree: Record<string, Tree> = { v: valref('x'.repeat(100_000)) }
    for (let level = 0; level < 300; level++) tree = { d: dir(tree) }
    let node: FoldedNode | undefined = await fold(tree)
    let levels = 0
    for (; node; node = node.children[0]) {
      expect(node.keys).to.equal(1)
      levels++
    }
    expect(levels).to.equal(101)
  })

  it('joins the small entries of a large directory', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, valref('x'.repeat(1000 + i))]))
    const tree = await fold({ many: dir(many) })
    const [inside] = tree.children
    expect(inside?.children).to.have.length(49)
    const { folded, keys, name } = (inside as FoldedNode).children.at(-1) ?? {}
    expect([folded, keys]).to.deep.equal([452, 452])
    expect(inside?.children.some((child) => child.name === 'k499' && child.folded === 0)).to.equal(true)
    expect(name).to.not.equal('k499')
  })

  it('joins directories of jobs to ranges in the order of time, which can be opened', async () => {
    const jobs = Object.fromEntries(
      Array.from({ length: 240 }, (_, i) => [
        i.toString(16).padStart(4, '0'),
        dir({ J: valref(`${i}`.padEnd(2000, '.')) }),
      ]),
    )
    const tree = await fold({ job: dir(jobs) })
    const ranges = tree.children[0]?.children ?? []
    expect(ranges).to.have.length(24)
    expect(ranges.map(({ name, last, folded }) => [name, last, folded]).slice(0, 2)).to.deep.equal([
      ['0000', '0009', 10],
      ['000a', '0013', 10],
    ])
    expect(names(ranges[0] as FoldedNode)).to.include('0003')
    expect([...all(tree)].length).to.be.at.most(1200 + 48)
  })

  it('has about as many nodes as it may', async () => {
    const wide = (depth: number): Tree =>
      depth === 0
        ? valref('v'.repeat(100))
        : dir(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`d${i}`, wide(depth - 1)])))
    const tree = await fold({ top: wide(3) }, 100)
    expect([...all(tree)].length).to.be.within(80, 112)
  })

  it('leaves out what cannot be read, and knows inline directories', async () => {
    const lost: Tree = { data: [`sha1-${'0'.repeat(40)}`], type: 'dirref', ver: 1 }
    const inline = raw('dir', { x: { data: [], type: 'valref', ver: 1 } })
    const blobs = new Blobs()
    const rootref = blobs.tree({ lost, inline, v: val('v') })
    const snapshot = { store: new MemoryStore(blobs), rootref }
    const sums = await treeSums(snapshot, { depth: 0, onFault() {} })
    const tree = await foldedTree(snapshot, sums, { onFault() {} })
    expect(tree.children.find(({ name }) => name === 'inline')?.keys).to.equal(1)
    expect(tree.children.find(({ name }) => name === 'lost')).to.include({ bytes: 0, keys: 0 })
  })
})
