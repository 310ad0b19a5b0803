import { openSync, truncateSync, writeSync } from 'node:fs'
import { expect } from 'chai'
import { blobrefOf } from '../../src/content/index.ts'
import { DirSpool } from '../../src/restore/dir-spool.ts'
import { descriptorIn } from '../support/descriptors.ts'
import { scratch } from '../support/fixtures.ts'

/** A spool with so much that a part of it is in its file, and the path by which that is opened. */
async function spilled(dir: string): Promise<{ spool: DirSpool; file: string; offset: number }> {
  const spool = new DirSpool('sha1', dir, 1)
  const { offset } = spool.append('x'.repeat(1 << 20), [1])
  for (let i = 0; i < 20; i++) spool.append(`${i}`.repeat(1 << 19), [])
  expect(spool.isFull).to.equal(true)
  await spool.spill()
  return { spool, file: `/proc/self/fd/${descriptorIn(dir)}`, offset }
}

const store = async (blobs: readonly Uint8Array[]) => blobs.map((blob) => blobrefOf('sha1', blob))

describe('restore/dir-spool', () => {
  it('gives back what is in its file', async () => {
    const { spool, offset } = await spilled(scratch())
    expect(Buffer.from(spool.take(offset).blob).toString()).to.equal('x'.repeat(1 << 20))
    await spool.drain(store)
    await spool.close()
  })

  it('says that its file has been cut short', async () => {
    const dir = scratch()
    const { spool, file, offset } = await spilled(dir)
    truncateSync(file)
    expect(() => spool.take(offset))
      .to.throw(`the temporary file in ${dir} has been cut short`)
      .with.property('code', 'EIO')
    await spool.close()
  })

  it('says that its file holds something else than was written', async () => {
    const dir = scratch()
    const { spool, file } = await spilled(dir)
    writeSync(openSync(file, 'r+'), 'y', 1000)
    expect(await spool.drain(store).catch((error) => error)).to.include({
      code: 'EIO',
      message: `the temporary file in ${dir} does not hold what was written to it`,
    })
    await spool.close()
  })
})
