import { expect } from 'chai'
import { decodeJson, encodeJson, textOf } from '../../src/flux/json-payload.ts'

const bytes = (text: string) => Buffer.from(text)

describe('flux/json-payload', () => {
  it('is the text of an object and a NUL', () => {
    expect(Buffer.from(encodeJson({ id: 2n ** 60n, name: 'é' })).toString()).to.equal(
      '{"id":1152921504606846976,"name":"é"}\0',
    )
    expect(Buffer.from(encodeJson('{"timestamp":5.0}')).toString()).to.equal('{"timestamp":5.0}\0')
  })

  it('is an empty object when there is no payload', () => {
    expect(decodeJson(new Uint8Array(), 'kvs.lookup')).to.deep.equal({})
  })

  it('is decoded where it lies in a larger buffer', () => {
    expect(decodeJson(bytes('xx{"a":1}\0yy').subarray(2, 10), 'kvs.lookup')).to.deep.equal({ a: 1 })
  })

  for (const text of ['{"a":1}', '{"a":1\0', 'null\0', '[]\0', '[{}]\0', '"a"\0', '1\0', '\0', '{}\0x']) {
    it(`is refused, naming the topic: ${JSON.stringify(text)}`, () => {
      expect(() => decodeJson(bytes(text), 'kvs.lookup'))
        .to.throw()
        .that.includes({ code: 'EPROTO', message: 'kvs.lookup: the payload is not a JSON object' })
    })
  }

  it('says why its text cannot be parsed', () => {
    expect(() => decodeJson(bytes('{"a":\0'), 'x'))
      .to.throw()
      .with.property('cause')
      .that.is.instanceOf(Error)
  })

  it('may be a text with or without a NUL at its end', () => {
    expect([textOf(bytes('gone\0')), textOf(bytes('gone')), textOf(bytes('')), textOf(bytes('a\0\0'))]).to.deep.equal([
      'gone',
      'gone',
      '',
      'a\0',
    ])
  })
})
