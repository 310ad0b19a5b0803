import { expect } from 'chai'
import { type FoundCheckpoint, findCheckpoints } from '../../../../src/content/sqlite/pages/checkpoint-text.ts'

describe('content/sqlite/pages/checkpoint-text', () => {
  it('finds a checkpoint among very many members that look like a part of one', () => {
    const text = `{"version":1,"rootref":"sha1-${'0'.repeat(40)}","timestamp":1.5}`
    // One that looks for brackets in all of the pages takes minutes.
    const pages = Buffer.alloc(4 << 20, '"rootref"')
    const at = 4096 * 100 + 2000
    pages.set(Buffer.from([3, 0, 0x81, 13 + 2 * text.length - 128]), at - 4)
    pages.write(text, at)
    const found: FoundCheckpoint[] = []
    findCheckpoints(pages, 4096, (each) => found.push(each))
    expect(found.map(({ checkpoint }) => checkpoint.timestamp)).to.deep.equal([1.5])
  })
})
