import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { walk } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, type Tree, val } from '../support/trees.ts'

/**
 * Walks a tree of four large directories, and of one that is referred to so often that the tree is counted. Prints how many
 * entries there were.
 */
const WALK = `
const [kvs, trees] = process.argv.slice(1)
const { walk } = await import(kvs)
const { Blobs, MemoryStore } = await import(trees)
const blobs = new Blobs()
const dirref = (blobref) => '{"data":["' + blobref + '"],"type":"dirref","ver":1}'
const textOf = (first, count, object) => {
  const bytes = Buffer.alloc(32 + count * (object.length + 12))
  let at = bytes.write('{"data":{')
  for (let n = 0; n < count; n++) {
    at += bytes.write((n === 0 ? '"' : ',"') + first + String(n).padStart(7, '0') + '":' + object, at)
  }
  return bytes.subarray(0, at + bytes.write('},"type":"dir","ver":1}', at))
}
const put = (bytes) => blobs.store(bytes)
const often = put(textOf('k', 5000, dirref(put(textOf('e', 0, '')))))
const large = ['b', 'c', 'd', 'e'].map((first) => put(textOf(first, 150_000, '{"data":"MQ==","type":"val","ver":1}')))
const refs = [often, ...large].map((blobref, i) => '"' + 'abcde'[i] + '":' + dirref(blobref))
const rootref = put('{"data":{' + refs.join(',') + '},"type":"dir","ver":1}')
const store = new MemoryStore(blobs)
let entries = 0
for await (const batch of walk(store, rootref)) entries += batch.length
const again = store.asked.filter((blobref) => large.includes(blobref)).length
console.log(entries, again)
`

describe('kvs/path-count', () => {
  it('reads large directories without an object for each of their entries', () => {
    const modules = ['../../src/kvs/index.ts', '../support/trees.ts'].map((path) => new URL(path, import.meta.url).href)
    const node = ['--max-old-space-size=64', '--input-type=module', '-e', WALK, ...modules]
    const { status, stdout, stderr } = spawnSync(process.execPath, node, { encoding: 'utf8' })
    expect([status, stdout], stderr).to.deep.equal([0, '600000 8\n'])
  })

  it('does not end the walk of a selection by what fails outside of it', async () => {
    const blobs = new Blobs()
    const often: Record<string, Tree> = { last: val('x') }
    for (let n = 0; n < 5000; n++) often[`k${n}`] = dir({})
    const outside = blobs.tree({ v: val('outside') })
    const rootref = blobs.tree({ often: dir(often), outside: { type: 'dirref', ver: 1, data: [outside] } })
    const store = new MemoryStore(blobs)
    const { loadBatch } = MemoryStore.prototype
    let failed = 0
    store.loadBatch = (blobrefs, budgetBytes) => {
      if (!blobrefs.includes(outside)) return loadBatch.call(store, blobrefs, budgetBytes)
      failed++
      return Promise.reject(new Error('the disk fails'))
    }
    const filter = {
      takes: () => true,
      enters: ({ depth }: { depth: number }, name: string) => depth > 0 || name === 'often',
    }
    const names: string[] = []
    for await (const batch of walk(store, rootref, { filter })) names.push(...batch.map(({ name }) => name))
    expect(names).to.deep.equal(['last'])
    expect(failed).to.equal(1)
    const whole = async () => {
      for await (const _ of walk(store, rootref));
    }
    expect(await whole().catch(({ message }: Error) => message)).to.equal('the disk fails')
  })
})
