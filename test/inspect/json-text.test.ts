import { expect } from 'chai'
import fc from 'fast-check'
import { compactJson, jsonMembers } from '../../src/inspect/index.ts'

describe('inspect/json-text', () => {
  for (const [text, compact] of [
    ['{ "a" : [ 1 , 2 ] }', '{"a":[1,2]}'],
    ['9007199254740993', '9007199254740993'],
    ['1.0', '1.0'],
    ['0.1', '0.10000000000000001'],
    ['1700000000.25', '1700000000.25'],
    ['-0', '0'],
    ['-0.0', '-0.0'],
    ['1e5', '100000.0'],
    ['1E+20', '1e20'],
    ['123456789012345678.0', '1.2345678901234568e17'],
    ['0.00012', '0.00012'],
    ['0.000012', '1.2e-5'],
    ['"a\\u0001\\u001f\\/\\u00e9 \\"{\\\\"', '"a\\u0001\\u001F/é \\"{\\\\"'],
    ['"1.0, [true"', '"1.0, [true"'],
  ] as const) {
    it(`makes ${text} compact as jansson does`, () => {
      expect(compactJson(text)).to.equal(compact)
    })
  }

  it('keeps what JSON says', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(compactJson(JSON.stringify(JSON.parse(text), null, 2)))).to.deep.equal(JSON.parse(text))
      }),
    )
  })

  it('takes an object apart, in order, the last of a name counting', () => {
    const text = '{"b":{"x":[1,{"y":2}]},"10":"a,b","1":1.50,"a":null, "b" : [], "e":{}}'
    expect([...jsonMembers(text)]).to.deep.equal([
      ['b', '[]'],
      ['10', '"a,b"'],
      ['1', '1.5'],
      ['a', 'null'],
      ['e', '{}'],
    ])
    expect([...jsonMembers('{}')]).to.deep.equal([])
  })

  it('leaves a number beyond the largest as it is', () => {
    expect(compactJson('[1e999, -1E400]')).to.equal('[1e999,-1E400]')
  })

  it('takes a string of any length', () => {
    const text = `{"a":"${'x'.repeat(20_000_000)}\\\\","b":"\\"","c":1}`
    expect([...jsonMembers(text)].map(([name, { length }]) => [name, length])).to.deep.equal([
      ['a', 20_000_004],
      ['b', 4],
      ['c', 1],
    ])
  })
})
