import { expect } from 'chai'
import { BatchQueue } from '../../src/dump/batch-queue.ts'

describe('dump/batch-queue', () => {
  it('hands batches on in order', async () => {
    const queue = new BatchQueue<number>(10)
    for (const n of [1, 2, 3]) await queue.push(n)
    queue.end()
    expect([await queue.pull(), await queue.pull(), await queue.pull(), await queue.pull()]).to.deep.equal([
      1,
      2,
      3,
      undefined,
    ])
  })

  it('holds the producer back while it is full', async () => {
    const queue = new BatchQueue<number>(2)
    let pushed = 0
    const producer = (async () => {
      for (let n = 0; n < 6; n++) {
        await queue.push(n)
        pushed++
      }
      queue.end()
    })()
    await new Promise((resolve) => setImmediate(resolve))
    expect(pushed).to.equal(1)
    while ((await queue.pull()) !== undefined) await new Promise((resolve) => setImmediate(resolve))
    await producer
    expect(pushed).to.equal(6)
  })

  it('gives the consumer the failure of the producer at once, before what still waits', async () => {
    const queue = new BatchQueue<number>(5)
    await queue.push(1)
    queue.fail(new Error('lost'))
    expect(await queue.pull().catch((error) => error.message)).to.equal('lost')
  })

  it('wakes a consumer that waits', async () => {
    const queue = new BatchQueue<number>(5)
    const pulled = queue.pull()
    queue.end()
    expect(await pulled).to.equal(undefined)
  })

  it('tells the producer that nothing more is wanted', async () => {
    const queue = new BatchQueue<number>(1)
    const pushing = queue.push(1)
    queue.close()
    expect(await pushing).to.equal(false)
  })
})
