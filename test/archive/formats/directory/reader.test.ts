import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openArchive } from '../../../../src/archive/index.ts'
import { scratch } from '../../../support/fixtures.ts'

describe('archive/formats/directory/reader', () => {
  it('refuses a file that changes while it is read', async () => {
    const dir = scratch()
    const bytes = 4 << 20
    writeFileSync(join(dir, 'a'), Buffer.alloc(bytes))
    await using archive = await openArchive(dir)
    const read = async () => {
      for await (const batch of archive.batches())
        for (const { stream } of batch) {
          if (stream) for await (const _ of stream()) truncateSync(join(dir, 'a'), bytes - 1)
        }
    }
    expect(await read().catch((error) => error)).to.include({
      code: 'EIO',
      message: `${dir}: a: the file changed while it was read: it had ${bytes} bytes`,
    })
  })
})
