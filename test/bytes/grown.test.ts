import { expect } from 'chai'
import { grown, release } from '../../src/bytes/index.ts'

describe('bytes/grown', () => {
  for (const Numbers of [Uint8Array, Uint32Array, Float64Array]) {
    it(`grows by at least the double, keeps the content, and empties what it was: ${Numbers.name}`, () => {
      const numbers = Numbers.of(1, 2, 3)
      expect(grown(numbers, 3)).to.equal(numbers)
      const larger = grown(numbers, 4)
      expect(larger).to.be.instanceOf(Numbers)
      expect([...larger]).to.deep.equal([1, 2, 3, 0, 0, 0])
      expect(numbers).to.have.length(0)
      expect(grown(larger, 100)).to.have.length(100)
    })

    it(`releases an array: ${Numbers.name}`, () => {
      const numbers = Numbers.of(1, 2, 3)
      release(numbers)
      expect(numbers).to.have.length(0)
    })
  }
})
