import { expect } from 'chai'
import { keyOf, SnapshotReader, selectKeys, walk } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, symlink, val, valref } from '../support/trees.ts'

describe('kvs/subtree', () => {
  const blobs = new Blobs()
  const rootref = blobs.tree({
    a: dir({ b: dir({ c: valref('c'), d: val('d') }), e: val('e') }),
    job: dir({ '1': dir({ eventlog: valref('log') }), '2': dir({ eventlog: valref('other') }) }),
    link: symlink('a.b'),
    far: symlink('x', 'elsewhere'),
    ['__proto__']: dir({ x: val('x') }),
  })

  /** What is walked of the keys, as `key=value`, the links met, and how many blobs were loaded. */
  async function selected(...keys: string[]) {
    const store = new MemoryStore(blobs)
    const links: string[] = []
    const root = await selectKeys(new SnapshotReader({ store, rootref }), keys, (key) => links.push(key))
    const entries: string[] = []
    for await (const batch of walk(store, root)) {
      for (const entry of batch) {
        const text = entry.type === 'symlink' ? `-> ${entry.target}` : Buffer.concat([...(entry.parts ?? [])])
        entries.push(`${keyOf(entry.dir, entry.name)}=${text}`)
      }
    }
    return { entries, links, loads: new Set(store.asked).size }
  }

  it('holds the keys asked for under their own paths, and loads no other', async () => {
    const { entries, loads } = await selected('job.2')
    expect(entries).to.deep.equal(['job.2.eventlog=other'])
    expect(loads).to.equal(4)
    expect((await selected('a.b.d', 'job.1', 'a.e')).entries).to.deep.equal(['a.b.d=d', 'a.e=e', 'job.1.eventlog=log'])
    expect((await selected('__proto__.x')).entries).to.deep.equal(['__proto__.x=x'])
    expect((await selected('job', '.')).entries).to.have.length(8)
  })

  it('holds a key once that is below another, whichever comes first', async () => {
    for (const keys of [
      ['a', 'a.b.c'],
      ['a.b.c', 'a'],
      ['a.', '.a..b.c', 'a'],
    ]) {
      expect((await selected(...keys)).entries).to.deep.equal(['a.b.c=c', 'a.b.d=d', 'a.e=e'])
    }
  })

  it('follows links on the way, and keeps the path that was asked for; a link at the end is kept as it is', async () => {
    expect(await selected('link.c')).to.deep.include({ entries: ['link.c=c'], links: [] })
    expect(await selected('link')).to.deep.include({ entries: ['link=-> a.b'], links: ['link'] })
  })

  it('says what it cannot hold', async () => {
    const failure = (...keys: string[]) =>
      selected(...keys).then(
        () => 'none',
        (error) => `${error.code} ${error.message}${error.hint ? `; ${error.hint}` : ''}`,
      )
    expect(await failure('a', 'nosuch')).to.equal('ENOENT nosuch: No such file or directory')
    expect(await failure('a.e.below')).to.equal('ENOENT a.e.below: No such file or directory')
    expect(await failure('')).to.match(/^EINVAL /)
    expect(await failure('far.y')).to.match(/^ENOTSUP far.y: /)
    const both = 'EINVAL link: a link or value, which cannot be kept beside link.c; select the two separately'
    expect(await failure('link', 'link.c')).to.equal(both)
    expect(await failure('link.c', 'link')).to.equal(both)
  })
})
