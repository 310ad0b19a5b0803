import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { FrameParser, ProtocolError, writeFrameHeader } from '../../src/flux/index.ts'
import { fixture } from '../support/fixtures.ts'

function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + message.length)
  bytes.set(message, writeFrameHeader(bytes, 0, message.length))
  return bytes
}

/** The messages in a stream that arrives in these chunks. */
function parse(chunks: readonly Uint8Array[], maxBytes?: number): string[] {
  const messages: string[] = []
  const parser = new FrameParser((bytes, start, end) => {
    messages.push(Buffer.from(bytes.subarray(start, end)).toString('hex'))
  }, maxBytes)
  for (const chunk of chunks) parser.push(chunk)
  return messages
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => bytes.slice(from, places[i] ?? bytes.length))
}

describe('flux/framing', () => {
  it('finds the messages of a recorded stream however it is split', () => {
    const stream = readFileSync(fixture('wire', 'client.bin'))
    const whole = parse([stream])
    expect(whole.length).to.be.greaterThan(10)
    expect(parse(Array.from(stream, (byte) => Uint8Array.of(byte)))).to.deep.equal(whole)
    const head = stream.subarray(0, 200)
    for (let at = 0; at <= head.length; at++) {
      expect(parse([head.subarray(0, at), head.subarray(at)])).to.deep.equal(parse([head]))
    }
  })

  it('any split of any stream gives the same messages', () => {
    const messages = fc.array(fc.uint8Array({ minLength: 21, maxLength: 400 }), { maxLength: 8 })
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 12 }), (messages, cuts) => {
        const stream = Buffer.concat(messages.map(frame))
        expect(parse(split(stream, cuts))).to.deep.equal(messages.map((bytes) => Buffer.from(bytes).toString('hex')))
      }),
    )
  })

  it('copies no message that lies within one chunk, also at its end', () => {
    const stream = Buffer.concat([30, 40, 50].map((bytes) => frame(new Uint8Array(bytes))))
    const chunks: Uint8Array[] = [stream.subarray(0, 86), stream.subarray(86, 100), stream.subarray(100)]
    const places: [isChunk: boolean, start: number, end: number][] = []
    const parser = new FrameParser((bytes, start, end) => places.push([chunks.includes(bytes), start, end]))
    for (const chunk of chunks) parser.push(chunk)
    expect(places).to.deep.equal([
      [true, 8, 38],
      [true, 46, 86],
      [false, 0, 50],
    ])
  })

  it('random bytes give messages or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), fc.boolean(), (chunks, framed) => {
        try {
          parse(framed ? [Buffer.from('1200eeff', 'hex'), ...chunks] : chunks, 1000)
        } catch (error) {
          expect(error).to.be.instanceOf(ProtocolError)
        }
      }),
    )
  })

  it('refuses a wrong magic at its offset in the stream', () => {
    const stream = Buffer.concat([frame(new Uint8Array(30)), Buffer.from('ffee001200000030', 'hex')])
    for (const chunks of [[stream], split(stream, [20, 40])]) {
      expect(() => parse(chunks))
        .to.throw(ProtocolError, 'not the Flux protocol: expected the magic 1200eeff at byte 38, got ffee0012')
        .with.property('offset', 38)
    }
    const small = Buffer.from('0000000100000030', 'hex')
    expect(() => parse([small])).to.throw(ProtocolError, 'at byte 0, got 00000001')
  })

  it('refuses a message that claims 4 GB as soon as its header is there', () => {
    expect(() => parse([Buffer.from('1200eeffffffffff', 'hex')])).to.throw(ProtocolError, '4294967295')
  })

  it('takes a message at the limit and refuses one past it, or too short to be one', () => {
    expect(parse([frame(new Uint8Array(100))], 100)).to.have.length(1)
    expect(() => parse([frame(new Uint8Array(101))], 100))
      .to.throw(ProtocolError)
      .that.includes({ code: 'EPROTO', offset: 4, expected: 'a message of 21 to 100 bytes', got: 'one of 101' })
    expect(parse([frame(new Uint8Array(21))])).to.have.length(1)
    expect(() => parse([frame(new Uint8Array(20))])).to.throw(ProtocolError, 'got one of 20')
    const second = Buffer.concat([frame(new Uint8Array(30)), frame(new Uint8Array(20))])
    expect(() => parse([second]))
      .to.throw(ProtocolError)
      .with.property('offset', 42)
  })

  it('tells whether the stream stands in the middle of a message', () => {
    const parser = new FrameParser(() => {})
    const bytes = frame(new Uint8Array(30))
    expect(parser.incomplete).to.equal(false)
    for (const byte of bytes.subarray(0, -1)) {
      parser.push(Uint8Array.of(byte))
      expect(parser.incomplete).to.equal(true)
    }
    parser.push(Uint8Array.of(0))
    expect(parser.incomplete).to.equal(false)
  })
})
