import { hash } from 'node:crypto'
import { expect } from 'chai'
import { DigestSet } from '../../../src/inspect/size/digest-set.ts'

describe('inspect/digest-set', () => {
  it('knows each blob again, of either algorithm, however many there are', () => {
    const set = new DigestSet()
    const blobrefs = Array.from({ length: 20_000 }, (_, i) => {
      const name = i % 2 === 0 ? 'sha1' : 'sha256'
      return `${name}-${hash(name, String(i), 'hex')}`
    })
    for (const blobref of blobrefs) expect(set.add(blobref)).to.equal(true)
    for (const blobref of blobrefs) expect(set.add(blobref)).to.equal(false)
    expect(set.size).to.equal(20_000)
    expect(set.add(`sha1-${'0'.repeat(40)}`)).to.equal(true)
    expect(set.add(`sha1-${'0'.repeat(40)}`)).to.equal(false)
  })
})
