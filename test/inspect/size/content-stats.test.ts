import { expect } from 'chai'
import { contentStats } from '../../../src/inspect/index.ts'
import { Blobs, MemoryStore } from '../../support/trees.ts'

describe('inspect/content-stats', () => {
  it('refuses a store that is not on disk', async () => {
    const error = await contentStats(new MemoryStore(new Blobs()), { reachable: false }).catch((error) => error)
    expect(error).to.include({ code: 'ENOTSUP', message: 'memory: not a content store on disk' })
  })
})
