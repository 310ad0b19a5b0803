import { hash } from 'node:crypto'
import { expect } from 'chai'
import { DigestSet } from '../../../src/inspect/size/digest-set.ts'

describe('inspect/digest-set', () => {
  it('knows each blob again, of either algorithm, however many there are', () => {
    const set = new DigestSet()
    const digests = Array.from({ length: 20_000 }, (_, i) => {
      const name = i % 2 === 0 ? 'sha1' : 'sha256'
      return hash(name, String(i), 'buffer')
    })
    for (const digest of digests) expect(set.add(digest)).to.equal(true)
    for (const digest of digests) expect(set.add(digest)).to.equal(false)
    expect(set.size).to.equal(20_000)
    expect(set.add(Buffer.alloc(20))).to.equal(true)
    expect(set.add(Buffer.alloc(20))).to.equal(false)
  })
})
