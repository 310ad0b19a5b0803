import { expect } from 'chai'
import { Idset } from '../../src/resource/index.ts'

describe('resource/idset', () => {
  // The examples of RFC 22, "Idset String Representation".
  for (const [text, ids] of [
    ['', []],
    ['[]', []],
    ['4', [4]],
    ['[4]', [4]],
    ['0-3', [0, 1, 2, 3]],
    ['[0,2-3,9]', [0, 2, 3, 9]],
    ['1,', [1]],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const set = Idset.parse(text)
      expect([...(set ?? [])]).to.deep.equal(ids)
      expect(set?.size).to.equal(ids.length)
    })
  }

  for (const text of ['01', '3,1', '1-1', '2-1', '1,1', '[1', '1]', '[[1]]', 'x', '-1', '1-2,2', '1 2', '2147483648']) {
    it(`refuses ${text}`, () => {
      expect(Idset.parse(text)).to.equal(undefined)
    })
  }

  it('writes ranges, with brackets only for more than one id', () => {
    const set = Idset.of([7, 3, 1, 2, 2])
    expect(String(set)).to.equal('1-3,7')
    expect(set.toBracketed()).to.equal('[1-3,7]')
    expect(Idset.of([5]).toBracketed()).to.equal('5')
    expect(Idset.of([]).toBracketed()).to.equal('')
  })

  it('joins sets and knows what is in them', () => {
    const set = Idset.union(['0-3', '2-5', '6', '10-11'].map((text) => Idset.parse(text) as Idset))
    expect(String(set)).to.equal('0-6,10-11')
    expect([0, 6, 7, 10, 11, 12].filter((id) => set.has(id))).to.deep.equal([0, 6, 10, 11])
  })

  it('joins sets of many ranges', () => {
    const text = Array.from({ length: 200_000 }, (_, i) => 2 * i).join(',')
    expect(Idset.union([Idset.parse(text) as Idset]).size).to.equal(200_000)
  })

  it('knows whether two sets have an id in common', () => {
    const meet = (a: string, b: string) => (Idset.parse(a) as Idset).intersects(Idset.parse(b) as Idset)
    for (const [a, b, expected] of [
      ['0-3', '3-5', true],
      ['0-3,10', '4-9', false],
      ['0-3,10', '4-9,10-11', true],
      ['', '0-3', false],
      ['7', '0-100', true],
    ] as const) {
      expect(meet(a, b), `${a} and ${b}`).to.equal(expected)
      expect(meet(b, a), `${b} and ${a}`).to.equal(expected)
    }
  })

  it('joins sets of more ranges than a call has arguments', () => {
    const set = Idset.of(Array.from({ length: 200_000 }, (_, i) => 2 * i))
    expect(Idset.union([set, set]).size).to.equal(200_000)
  })
})
