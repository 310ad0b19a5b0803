import { expect } from 'chai'
import { ContentError, loadEach, loadInOrder } from '../../src/content/index.ts'
import { Blobs, MemoryStore } from '../support/trees.ts'

/** A store that leaves out what goes beyond the budget, and one blob that it does not have. */
function storeOf(texts: readonly string[], missing?: string): { store: MemoryStore; blobrefs: string[] } {
  const blobs = new Blobs()
  const blobrefs = texts.map((text) => blobs.store(text))
  if (missing !== undefined) blobs.delete(blobs.store(missing))
  const store = new MemoryStore(blobs)
  store.obeyBudget = true
  return { store, blobrefs }
}

const texts = Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(10, '.'))
const textOf = (result: Uint8Array | ContentError) =>
  result instanceof ContentError ? result.code : Buffer.from(result).toString()

describe('content/load-each', () => {
  it('answers each blob once, and asks again for what a store left out', async () => {
    const { store, blobrefs } = storeOf(texts, texts[7])
    const found: string[][] = texts.map(() => [])
    await loadEach(store, blobrefs, (i, result) => found[i]?.push(textOf(result)), { budgetBytes: 25 })
    expect(found).to.deep.equal(texts.map((text, i) => [i === 7 ? 'ENOENT' : text]))
    expect(store.asked.length).to.be.greaterThan(texts.length)
    expect(store.largestBatch).to.equal(store.window)
  })

  it('asks for no more once it has been told that it is enough', async () => {
    const { store, blobrefs } = storeOf(texts)
    store.window = 4
    let taken = 0
    await loadEach(store, blobrefs, () => {
      taken++
      return taken < 6
    })
    expect(store.asked).to.have.length(8)
    expect(taken).to.equal(8)
  })

  it('ends with the signal', async () => {
    const { store, blobrefs } = storeOf(texts)
    const controller = new AbortController()
    const loaded = loadEach(store, blobrefs, () => controller.abort(), { most: 1, signal: controller.signal })
    const error = await loaded.then(
      () => undefined,
      (error) => error,
    )
    expect(error).to.have.property('code', 'EINTR')
    expect(store.asked).to.have.length(1)
  })

  it('answers blobs in order, whichever a store leaves out', async () => {
    const { store, blobrefs } = storeOf(texts, texts[7])
    const found: string[] = []
    for await (const run of loadInOrder(store, blobrefs, { budgetBytes: 15 })) {
      expect(run).not.to.have.length(0)
      found.push(...run.map(textOf))
    }
    expect(found).to.deep.equal(texts.map((text, i) => (i === 7 ? 'ENOENT' : text)))
  })
})
