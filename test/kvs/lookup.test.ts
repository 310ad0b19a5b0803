import { expect } from 'chai'
import type { LiveInstance } from '../../src/content/index.ts'
import { type LookupKind, SnapshotReader } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref } from '../support/trees.ts'

const NESTED = raw('dir', { inline: val('within') })

const ENTRIES: Record<string, Tree> = {
  a: dir({ b: dir({ c: val('deep'), many: valref('one ', 'two') }), nested: NESTED }),
  empty: dir({}),
  small: val('hello'),
  link: symlink('a.b.c'),
  dirlink: symlink('a.b'),
  chain: symlink('link'),
  loop: symlink('pool'),
  pool: symlink('loop'),
  dangling: symlink('no.such'),
  self: symlink('a.b.c', 'primary'),
  elsewhere: symlink('x', 'other'),
  toroot: symlink('.'),
  gone: raw('dirref', [`sha1-${'0'.repeat(40)}`]),
  two: raw('dirref', [`sha1-${'0'.repeat(40)}`, `sha1-${'1'.repeat(40)}`]),
  __proto__x: val('1'),
}

describe('kvs/lookup', () => {
  const blobs = new Blobs()
  const rootref = blobs.tree(ENTRIES)
  const other = blobs.tree({ x: val('of another namespace') })
  const reader = () => new SnapshotReader({ store: new MemoryStore(blobs), rootref })

  async function outcome(key: string, kind: LookupKind, from = reader()): Promise<string> {
    try {
      const obj = await from.lookup(key, kind)
      if (obj.type === 'val') return Buffer.from(obj.data, 'base64').toString()
      return `${obj.type} ${obj.type === 'symlink' ? obj.data.target : Object.keys(obj.data).length}`
    } catch (error) {
      const { code, message } = error as { code: string; message: string }
      return `${code} ${message}`
    }
  }

  for (const [key, kind, wanted] of [
    ['small', 'value', 'hello'],
    ['a.b.c', 'value', 'deep'],
    ['..a...b.c..', 'value', 'deep'],
    ['a.b.many', 'value', 'valref 2'],
    ['a.nested.inline', 'value', 'within'],
    ['link', 'value', 'deep'],
    ['chain', 'value', 'deep'],
    ['dirlink.c', 'value', 'deep'],
    ['toroot.small', 'value', 'hello'],
    ['self', 'value', 'deep'],
    ['a', 'value', 'EISDIR a: Is a directory'],
    ['.', 'value', 'EISDIR .: Is a directory'],
    ['dirlink', 'value', 'EISDIR dirlink: Is a directory'],
    ['nosuch', 'value', 'ENOENT nosuch: No such file or directory'],
    ['small.below', 'value', 'ENOENT small.below: No such file or directory'],
    ['toString', 'value', 'ENOENT toString: No such file or directory'],
    ['dangling', 'value', 'ENOENT dangling: No such file or directory'],
    ['loop', 'value', 'ELOOP loop: Too many levels of symbolic links'],
    ['elsewhere', 'value', 'ENOTSUP elsewhere: Operation not supported'],
    ['', 'value', 'EINVAL an empty key: Invalid argument'],
    ['a', 'dir', 'dir 2'],
    ['.', 'dir', `dir ${Object.keys(ENTRIES).length}`],
    ['empty', 'dir', 'dir 0'],
    ['dirlink', 'dir', 'dir 2'],
    ['small', 'dir', 'ENOTDIR small: Not a directory'],
    ['link', 'link', 'symlink a.b.c'],
    ['loop', 'link', 'symlink pool'],
    ['small', 'link', 'EINVAL small: Invalid argument'],
    ['chain', 'treeobj', 'symlink link'],
    ['a.b', 'treeobj', 'dirref 1'],
    ['.', 'treeobj', 'dirref 1'],
    ['gone.x', 'value', `ENOENT gone: could not load content: No such file or directory (sha1-${'0'.repeat(40)})`],
    ['two.x', 'value', 'EPROTO two: dirref blobref count is not 1'],
  ] as const) {
    it(`finds ${JSON.stringify(key)} as ${kind}: ${wanted}`, async () => {
      expect(await outcome(key, kind)).to.equal(wanted)
    })
  }

  it('follows a link into another namespace where the source knows it', async () => {
    const root = async (namespace: string) => {
      expect(namespace).to.equal('other')
      return { rootref: other, sequence: 1 }
    }
    const store = Object.assign(new MemoryStore(blobs), { instance: { kvs: { root } } as unknown as LiveInstance })
    expect(await outcome('elsewhere', 'value', new SnapshotReader({ store, rootref }))).to.equal('of another namespace')
  })

  it('follows ten links, and not eleven', async () => {
    const chain: Record<string, Tree> = { l0: val('end') }
    for (let i = 1; i <= 11; i++) chain[`l${i}`] = symlink(`l${i - 1}`)
    const root = blobs.tree(chain)
    const from = new SnapshotReader({ store: new MemoryStore(blobs), rootref: root })
    expect(await outcome('l10', 'value', from)).to.equal('end')
    expect(await outcome('l11', 'value', from)).to.equal('ELOOP l11: Too many levels of symbolic links')
  })

  it('loads each directory on the way once', async () => {
    const store = new MemoryStore(blobs)
    const from = new SnapshotReader({ store, rootref })
    await from.lookup('a.b.c')
    await from.lookup('a.b.many')
    expect(store.asked.length).to.equal(3)
  })
})
