import { expect } from 'chai'
import { Digests } from '../../src/content/blobref.ts'
import { blobrefHex, blobrefOf, type HashName } from '../../src/content/index.ts'
import { RecentDigests } from '../../src/content/recent-digests.ts'

const digests = (hash: HashName, texts: readonly string[]) =>
  new Digests(texts.map((text) => blobrefHex(blobrefOf(hash, Buffer.from(text)))).join(''))

describe('content/recent-digests', () => {
  for (const hash of ['sha1', 'sha256'] as const) {
    it(`knows each ${hash} digest that it has seen, and no other`, () => {
      const recent = new RecentDigests(hash)
      const { words } = digests(hash, ['a', 'b', 'a', 'c', 'b'])
      expect([0, 1, 2, 3, 4].map((i) => recent.isNew(words, i))).to.deep.equal([true, true, false, true, false])
    })
  }

  it('takes for known only a digest that is the same in all its words', () => {
    const known = digests('sha1', ['a']).words
    for (let word = 0; word < known.length; word++) {
      const recent = new RecentDigests('sha1')
      recent.isNew(known, 0)
      const other = known.slice()
      // The low bits do not choose the place.
      other[word] = (other[word] as number) ^ 1
      expect(recent.isNew(other, 0)).to.equal(true)
      // It has taken the place of the first.
      expect(recent.isNew(known, 0)).to.equal(true)
    }
  })
})
