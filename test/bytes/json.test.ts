import { expect } from 'chai'
import { parseJson, stringifyJson } from '../../src/bytes/index.ts'
import { FluxError } from '../../src/errors/index.ts'

describe('bytes/json', () => {
  it('reads whole numbers beyond 2^53 as bigints, and all others as numbers', () => {
    const text =
      '[9007199254740991,9007199254740993000,-9007199254740993,18446744073709551615, 0.12345678901234566,1e20]'
    expect(parseJson(text)).to.deep.equal([
      9007199254740991,
      9007199254740993000n,
      -9007199254740993n,
      18446744073709551615n,
      0.12345678901234566,
      1e20,
    ])
    expect(parseJson('9007199254740993')).to.equal(9007199254740993n)
  })

  it('leaves digits in texts and names alone', () => {
    const value = { '9007199254740993000': 'id: 9007199254740993000, or [9007199254740993000' }
    expect(parseJson(JSON.stringify(value))).to.deep.equal(value)
  })

  it('refuses what is nested so deep that jansson refuses it too', () => {
    const nested = (levels: number) => '{"a":['.repeat(levels / 2) + ']}'.repeat(levels / 2)
    expect(() => parseJson(nested(2048))).to.not.throw()
    expect(() => parseJson(nested(2050))).to.throw(SyntaxError, 'nested more than 2048 levels deep')
    const wide = JSON.stringify(Array.from({ length: 3000 }, () => ['"[{', {}]))
    expect(parseJson(wide)).to.have.length(3000)
  })

  it('writes what it has read as it was', () => {
    const text = '{"a":[9007199254740993000,1.5,"9007199254740993000",null],"b":{"c":-18446744073709551615}}'
    expect(stringifyJson(parseJson(text))).to.equal(text)
    expect(stringifyJson({ id: 9007199254740993000n }, 2)).to.equal('{\n  "id": 9007199254740993000\n}')
    expect(stringifyJson({ id: 1 }, 2)).to.equal('{\n  "id": 1\n}')
  })

  it('refuses what JSON.parse and JSON.stringify refuse', () => {
    expect(() => parseJson('[9007199254740993000')).to.throw(SyntaxError)
    const loop: Record<string, unknown> = { id: 1n }
    loop.loop = loop
    expect(() => stringifyJson(loop)).to.throw(TypeError)
  })

  it('writes nothing that is nested too deeply, and says so', () => {
    for (const inner of [1, 1234567890123456789n]) {
      let nested: unknown = inner
      for (let level = 0; level < 100_000; level++) nested = [nested]
      expect(() => stringifyJson(nested))
        .to.throw(FluxError, 'the JSON is nested too deeply, or is too long')
        .with.property('code', 'EOVERFLOW')
    }
  })
})
