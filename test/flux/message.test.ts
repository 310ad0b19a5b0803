import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { FLAG, ProtocolError } from '../../src/flux/index.ts'
import { MessageReader } from '../../src/flux/message-reader.ts'
import { fixture } from '../support/fixtures.ts'
import { decodeMessage, encodeMessage, type Message, messageBytes, writeMessage } from '../support/message.ts'

interface Recorded {
  direction: 'client' | 'broker'
  what: string
  offset: number
  length: number
  type: string
  flags: string[]
  topic: string
  matchtag: number
  errnum: number | null
  nodeid: number | null
  userid: number
  rolemask: number
  /** Null for a message without a payload part. */
  payloadSize: number | null
  payloadJson?: object
  payloadBase64?: string
}

/** Flags of the transcript that a decoded message has as flags; the others say which parts there are. */
const FLAGS: Record<string, number> = { noresponse: FLAG.NORESPONSE, streaming: FLAG.STREAMING }

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const common = {
  flags: fc.integer({ min: 0, max: 255 }).map((flags) => flags & ~(FLAG.TOPIC | FLAG.PAYLOAD | FLAG.ROUTE)),
  routes: fc.option(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 4 }), { nil: undefined }),
  topic: fc.option(
    fc.string({ unit: 'binary', maxLength: 300 }).filter((topic) => !topic.includes('\0')),
    { nil: undefined },
  ),
  payload: fc.option(fc.uint8Array({ minLength: 1, maxLength: 600 }), { nil: undefined }),
  userid: u32,
  rolemask: u32,
}
/** Any message of the four types. */
const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constant('request' as const), ...common, nodeid: u32, matchtag: u32 }),
  fc.record({ type: fc.constant('response' as const), ...common, errnum: u32, matchtag: u32 }),
  fc.record({ type: fc.constant('event' as const), ...common, sequence: u32 }),
  fc.record({ type: fc.constant('control' as const), ...common, controlType: u32, status: u32 }),
)

/** Views and buffers as plain arrays, for comparison. */
function plain(message: Message): object {
  const { routes, payload } = message
  return { ...message, routes: routes?.map((route) => [...route]), payload: payload && [...payload] }
}

describe('flux/message', () => {
  for (const name of ['wire', 'wire-restore']) {
    it(`decodes every message recorded in ${name} to what the transcript says, and encodes it to the same bytes`, () => {
      const bytes = {
        client: readFileSync(fixture(name, 'client.bin')),
        broker: readFileSync(fixture(name, 'broker.bin')),
      }
      const { messages } = JSON.parse(readFileSync(fixture(name, 'transcript.json'), 'utf8')) as {
        messages: Recorded[]
      }
      const recorded = messages.filter(({ what }) => what === 'message')
      expect(recorded.length).to.be.greaterThan(10)
      for (const said of recorded) {
        const body = bytes[said.direction].subarray(said.offset + 8, said.offset + said.length)
        const message = decodeMessage(body)
        expect(message).to.include({
          type: said.type,
          topic: said.topic,
          userid: said.userid,
          rolemask: said.rolemask,
          matchtag: said.matchtag,
          flags: said.flags.reduce((bits, flag) => bits | (FLAGS[flag] ?? 0), 0),
        })
        if (message.type === 'request') expect(message.nodeid).to.equal(said.nodeid)
        if (message.type === 'response') expect(message.errnum).to.equal(said.errnum)
        const payload = Buffer.from(message.payload ?? [])
        expect(message.payload?.length ?? null).to.equal(said.payloadSize)
        if (said.payloadJson) expect(JSON.parse(payload.toString().slice(0, -1))).to.deep.equal(said.payloadJson)
        if (said.payloadBase64) expect(payload.toString('base64')).to.equal(said.payloadBase64)
        expect(Buffer.from(encodeMessage(message)).equals(body)).to.equal(true)
      }
    })
  }

  it('encodes a request as captured from flux_rpc', () => {
    const captured = '0008617474722e676574107b226e616d65223a2272616e6b227d00148e01010bffffffff00000000ffffffff00000001'
    const message: Message = {
      type: 'request',
      flags: 0,
      routes: [],
      topic: 'attr.get',
      payload: Buffer.from('{"name":"rank"}\0'),
      userid: 0xffffffff,
      rolemask: 0,
      nodeid: 0xffffffff,
      matchtag: 1,
    }
    expect(Buffer.from(encodeMessage(message)).toString('hex')).to.equal(captured)
  })

  it('decodes a response without payload, and one with an error text, as captured from a broker', () => {
    const empty = decodeMessage(
      Buffer.from('000c636f6e74656e742e6c6f6164148e01020900000000000000050000000000000004', 'hex'),
    )
    expect(empty).to.include({ type: 'response', topic: 'content.load', errnum: 0, matchtag: 4, payload: undefined })
    const refused = decodeMessage(
      Buffer.from(
        '000a6e6f737563682e666f6f2d4e6f2073657276696365206d61746368696e67206e6f737563682e666f6f206973207265676973746572656400148e01020b00000000000000050000002600000018',
        'hex',
      ),
    )
    expect(refused).to.include({ type: 'response', errnum: 38, matchtag: 0x18 })
    expect(Buffer.from(refused.payload ?? []).toString()).to.equal('No service matching nosuch.foo is registered\0')
  })

  it('writes parts of 254 bytes with a short length, and of 255 with a long one', () => {
    const message = (length: number): Message => ({
      type: 'event',
      flags: 0,
      payload: new Uint8Array(length),
      userid: 0,
      rolemask: 0,
      sequence: 0,
    })
    expect(Buffer.from(encodeMessage(message(254)).subarray(0, 2)).toString('hex')).to.equal('fe00')
    expect(Buffer.from(encodeMessage(message(255)).subarray(0, 6)).toString('hex')).to.equal('ff000000ff00')
    for (const length of [254, 255, 256]) {
      expect(decodeMessage(encodeMessage(message(length))).payload).to.have.length(length)
    }
  })

  it('writes as many bytes as it says, and 21 for a message of nothing but its fields', () => {
    const event: Message = { type: 'event', flags: 0, userid: 1, rolemask: 2, sequence: 3 }
    expect(messageBytes(event)).to.equal(21)
    expect(plain(decodeMessage(encodeMessage(event)))).to.deep.include({
      ...event,
      topic: undefined,
      payload: undefined,
    })
    for (const message of [event, { ...event, topic: 'a', routes: [Buffer.from('r')], payload: Buffer.alloc(300) }]) {
      const bytes = messageBytes(message)
      expect(writeMessage(message, new Uint8Array(bytes + 5), 5)).to.equal(5 + bytes)
    }
  })

  it('any message survives encode and decode', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(plain(decodeMessage(encodeMessage(message)))).to.deep.equal(plain(message))
      }),
    )
  })

  it('random bytes give a message or a ProtocolError, and so does a message cut short or altered', () => {
    const altered = fc.tuple(anyMessage, fc.nat(), fc.nat(255), fc.nat()).map(([message, at, byte, cut]) => {
      const bytes = encodeMessage(message)
      bytes[at % bytes.length] = byte
      return bytes.subarray(0, bytes.length - (cut % 4 === 0 ? cut % bytes.length : 0))
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), altered), (bytes) => {
        try {
          expect(decodeMessage(bytes).type).to.be.oneOf(['request', 'response', 'event', 'control'])
        } catch (error) {
          expect(error).to.be.instanceOf(ProtocolError)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('refuses a topic with a NUL and an empty route', () => {
    const message: Message = { type: 'event', flags: 0, userid: 0, rolemask: 0, sequence: 0 }
    expect(() => encodeMessage({ ...message, topic: 'a\0b' }))
      .to.throw()
      .with.property('code', 'EINVAL')
    expect(() => encodeMessage({ ...message, routes: [new Uint8Array()] }))
      .to.throw()
      .with.property('code', 'EINVAL')
  })

  /** An event with the topic `ab`: 02 61 62, then the length of the PROTO part and its 20 bytes. */
  const event = () =>
    encodeMessage({ type: 'event', flags: 0, topic: 'ab', userid: 0, rolemask: 0, sequence: 0 }) as Uint8Array
  /** Where its flags are. */
  const FLAG_AT = 4 + 3
  const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  /** One byte is another. @param cleared - a byte that is zero */
  const set = (at: number, byte: number, cleared?: number) => {
    const bytes = event()
    bytes[at] = byte
    if (cleared !== undefined) bytes[cleared] = 0
    return bytes
  }
  const broken: Record<string, [bytes: () => Uint8Array, offset: number, expected: string, got: string]> = {
    'is one byte too short for any': [() => event().subarray(4), 0, 'a message of 21 bytes or more', '20'],
    'has another magic': [() => set(4, 0x8f), 4, '8e 01', '8f 01'],
    'has another version': [() => set(5, 0x02), 4, '8e 01', '8e 02'],
    'has a topic that takes the length of the PROTO part': [
      () => set(0, 3),
      4,
      'a part of at most 19 bytes',
      'one of 142',
    ],
    'has a topic that takes a byte of the PROTO part': [() => set(0, 4), 0, 'a part of at most 3 bytes', 'one of 4'],
    'has a topic with a length that reaches into the PROTO part': [
      () => set(0, 0xff),
      0,
      'a part',
      'the end of the message',
    ],
    'has a part before the PROTO part that no flag names': [
      () => set(FLAG_AT, 0),
      0,
      'the PROTO part',
      'a part that ends at byte 1',
    ],
    'has a part that holds the PROTO part': [
      () => set(0, 23, FLAG_AT),
      0,
      'the PROTO part',
      'a part that ends at byte 1',
    ],
    'ends where its payload should begin': [
      () => Buffer.from(`026162${hexOf(set(FLAG_AT, FLAG.TOPIC | FLAG.PAYLOAD).subarray(4))}`, 'hex'),
      3,
      'a part',
      'the end of the message',
    ],
    'has a PROTO part of another length': [() => set(3, 19), 3, 'the PROTO part', 'a part that ends at byte 4'],
  }
  it('is found at its place among other bytes, where errors have their offsets too', () => {
    const message = event()
    const bytes = Buffer.concat([Buffer.alloc(7, 0xff), message, Buffer.alloc(3, 0xff)])
    const reader = new MessageReader()
    reader.read(bytes, 7, 7 + message.length)
    expect([reader.topic(), reader.routes(), reader.payload().length]).to.deep.equal(['ab', [], 0])
    expect(() => reader.read(bytes, 7, 27))
      .to.throw(ProtocolError)
      .that.includes({ offset: 7, got: '20' })
  })

  for (const [what, [bytes, offset, expected, got]] of Object.entries(broken)) {
    it(`refuses a message that ${what}`, () => {
      expect(() => decodeMessage(bytes()))
        .to.throw(ProtocolError)
        .that.includes({ code: 'EPROTO', offset, expected, got })
    })
  }
})
