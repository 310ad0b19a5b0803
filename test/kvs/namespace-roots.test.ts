import { expect } from 'chai'
import { namespaceRoots } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, type Tree, val, valref } from '../support/trees.ts'

const A = `sha1-${'a'.repeat(40)}`

/** What is found in a root whose value of `job-exec.kvs-namespaces` this is. */
function rootsOf(value: Tree | undefined): Promise<object[]> {
  const blobs = new Blobs()
  const rootref = blobs.tree({ 'job-exec': dir(value === undefined ? {} : { 'kvs-namespaces': value }) })
  return namespaceRoots({ store: new MemoryStore(blobs), rootref })
}

describe('kvs/namespace-roots', () => {
  it('are read from the value that job-exec wrote', async () => {
    const text = `[{"id":36028797018963968,"owner":1000,"kvsroot":"${A}"},{"id":5,"owner":0,"kvsroot":"${A}"}]`
    const roots = [
      { jobid: 36028797018963968n, rootref: A },
      { jobid: 5, rootref: A },
    ]
    expect(await rootsOf(val(text))).to.deep.equal(roots)
    expect(await rootsOf(valref(text.slice(0, 20), text.slice(20)))).to.deep.equal(roots)
  })

  it('are none where there is no such value, or another one', async () => {
    for (const value of [undefined, val(''), val('{}'), val('not JSON'), val('[null,3,{"id":1,"kvsroot":"x"}]')]) {
      expect(await rootsOf(value)).to.deep.equal([])
    }
    const blobs = new Blobs()
    expect(await namespaceRoots({ store: new MemoryStore(blobs), rootref: blobs.tree({}) })).to.deep.equal([])
  })

  it('fail when the value cannot be read', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ 'job-exec': dir({ 'kvs-namespaces': valref('[]') }) })
    blobs.delete([...blobs.keys()][0] as string)
    const error = await namespaceRoots({ store: new MemoryStore(blobs), rootref }).catch((error) => error)
    expect(error).to.include({ name: 'TreeError', code: 'ENOENT', key: 'job-exec.kvs-namespaces' })
  })
})
