import { expect } from 'chai'
import { inlineSize, withoutPadding } from '../../src/inspect/inline-value.ts'

describe('inspect/inline-value', () => {
  for (const [data, size] of [
    ['', 0],
    ['YQ==', 1],
    ['YQ', 1],
    ['YWI=', 2],
    ['YWJj', 3],
    ['====', 0],
  ] as const) {
    it(`counts the bytes of ${JSON.stringify(data)}`, () => {
      expect(inlineSize({ type: 'val', ver: 1, data })).to.equal(size)
    })
  }

  it('looks at each character of the padding once, also where it is none', () => {
    // Looking from each of them to the end takes hours.
    const data = `${'='.repeat(4_000_000)}x`
    expect(withoutPadding(data)).to.equal(data)
    expect(withoutPadding(`${data}==`)).to.equal(data)
  })
})
