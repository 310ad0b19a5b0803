import { expect } from 'chai'
import { FLAG } from '../../src/flux/index.ts'
import { RequestTemplate, SendBuffer } from '../../src/flux/send-buffer.ts'
import { encodeMessage } from '../support/message.ts'

const KIND = { topic: 'content.load', nodeid: 0xffffffff, userid: 1000, rolemask: 1 }

/** A request with its frame header, as the encoder of the tests writes it. */
function framed(matchtag: number, payload?: Uint8Array, kind: typeof KIND & { flags?: number } = KIND): Buffer {
  const message = encodeMessage({ type: 'request', flags: 0, routes: [], ...kind, payload, matchtag })
  const header = Buffer.from('1200eeff00000000', 'hex')
  header.writeUInt32BE(message.length, 4)
  return Buffer.concat([header, message])
}

/** What is sent, in one piece. Compared as a whole, because a difference in megabytes is not read. */
function expectSent(buffer: SendBuffer, requests: readonly Buffer[]): Uint8Array[] {
  const chunks = buffer.take()
  const sent = Buffer.concat(chunks)
  const expected = Buffer.concat(requests)
  expect(sent.length).to.equal(expected.length)
  expect(sent.equals(expected)).to.equal(true)
  return chunks
}

describe('flux/send-buffer', () => {
  const template = new RequestTemplate(KIND)

  it('is what the message encoder writes, one request after another', () => {
    const buffer = new SendBuffer()
    expect(buffer.empty).to.equal(true)
    const payloads = [undefined, new Uint8Array(), Buffer.from('x'), Buffer.alloc(254, 'y'), Buffer.alloc(255, 'z')]
    for (const [i, payload] of payloads.entries()) buffer.add(template, payload, i)
    expect(buffer.empty).to.equal(false)
    const noPayload = [undefined, undefined, ...payloads.slice(2)]
    const chunks = expectSent(
      buffer,
      noPayload.map((payload, i) => framed(i, payload)),
    )
    expect(chunks).to.have.length(1)
    expect(buffer.empty).to.equal(true)
    expect(buffer.take()).to.deep.equal([])
  })

  it('keeps the flags, the rank and the credentials of the kind of request', () => {
    const kind = { topic: 'kvs.commit', nodeid: 3, userid: 7, rolemask: 2, flags: FLAG.STREAMING }
    const buffer = new SendBuffer()
    buffer.add(new RequestTemplate(kind), Buffer.from('{}\0'), 0xfffffffe)
    buffer.add(new RequestTemplate(kind), undefined, 5)
    expectSent(buffer, [framed(0xfffffffe, Buffer.from('{}\0'), kind), framed(5, undefined, kind)])
  })

  it('does not copy a payload of 64 KiB or more, and keeps the order around it', () => {
    const below = Buffer.alloc((1 << 16) - 1, 'b')
    const large = Buffer.alloc(1 << 16, 'l')
    const buffer = new SendBuffer()
    const payloads = [Buffer.from('first'), large, below, Buffer.from('last'), large]
    for (const [i, payload] of payloads.entries()) buffer.add(template, payload, i)
    const chunks = expectSent(
      buffer,
      payloads.map((payload, i) => framed(i, payload)),
    )
    expect(chunks.filter((chunk) => chunk === large)).to.have.length(2)
    expect(chunks).not.to.include(below)
  })

  it('grows, keeping what was added before', () => {
    const buffer = new SendBuffer()
    const payloads = Array.from({ length: 40 }, (_, i) => Buffer.alloc(10_000, i))
    for (const [i, payload] of payloads.entries()) buffer.add(template, payload, i)
    expectSent(
      buffer,
      payloads.map((payload, i) => framed(i, payload)),
    )
  })

  it('uses a buffer again that is given back, and does not overwrite one that is not', () => {
    const buffer = new SendBuffer()
    buffer.add(template, Buffer.from('one'), 1)
    const first = buffer.take()
    buffer.add(template, Buffer.from('two'), 2)
    const second = buffer.take()
    expect(second[0]?.buffer).not.to.equal(first[0]?.buffer)
    expect(Buffer.concat(first).equals(framed(1, Buffer.from('one')))).to.equal(true)
    buffer.recycle(first)
    // The buffer in use was there before; the next one is that which was given back.
    buffer.take()
    buffer.add(template, Buffer.from('three'), 3)
    const third = expectSent(buffer, [framed(3, Buffer.from('three'))])
    expect(third[0]?.buffer).to.equal(first[0]?.buffer)
  })

  it('never uses the memory of a payload again', () => {
    const large = Buffer.alloc(1 << 16, 'l')
    const buffer = new SendBuffer()
    buffer.add(template, large, 1)
    buffer.recycle(buffer.take())
    buffer.take()
    buffer.add(template, Buffer.from('x'), 2)
    expectSent(buffer, [framed(2, Buffer.from('x'))])
    expect(large.equals(Buffer.alloc(1 << 16, 'l'))).to.equal(true)
  })

  it('refuses an empty topic, and one with a NUL', () => {
    for (const topic of ['', 'a\0b']) {
      expect(() => new RequestTemplate({ ...KIND, topic }))
        .to.throw()
        .that.includes({ code: 'EINVAL', message: `${JSON.stringify(topic)}: not a topic` })
    }
  })
})
