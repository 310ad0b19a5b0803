import { expect } from 'chai'
import type { Connection } from '../../src/flux/connection.ts'
import type { Responder } from '../../src/flux/matchtags.ts'
import { MessageReader } from '../../src/flux/message-reader.ts'
import { callStream, STREAM_QUEUE_BYTES } from '../../src/flux/rpc-stream.ts'
import { RequestTemplate } from '../../src/flux/send-buffer.ts'
import { encodeMessage } from '../support/message.ts'

/** A connection on which the test answers. */
function connection() {
  const sent: { responder?: Responder } = {}
  const full: number[] = []
  const double = {
    request: (_template: unknown, _payload: unknown, responder: Responder) => {
      sent.responder = responder
      return 1
    },
    waiting: () => {},
    full: (by: number) => full.push(by),
    abandon: () => {},
  }
  const reader = new MessageReader()
  /** Answer, with a message somewhere in what was received. */
  const answer = (payload: Uint8Array, received: number) => {
    const fields = { flags: 0, routes: [], topic: 'a.b', userid: 0, rolemask: 0 }
    const message = encodeMessage({ type: 'response', ...fields, payload, errnum: 0, matchtag: 1 })
    const chunk = Buffer.alloc(Math.max(received, message.length + 10))
    chunk.set(message, 10)
    reader.read(chunk, 10, 10 + message.length)
    sent.responder?.respond(0, reader, 0)
    chunk.fill(0xff)
  }
  const template = new RequestTemplate({ topic: 'a.b' } as never)
  return { stream: callStream(double as unknown as Connection, template, undefined, () => {}), answer, full }
}

describe('flux/rpc-stream', () => {
  it('keeps a copy of each payload, and nothing else of what was received with it', async () => {
    const { stream, answer } = connection()
    const first = stream.next()
    answer(Buffer.from('first'), 1 << 16)
    answer(Buffer.from('second'), 1 << 16)
    for (const [item, text] of [
      [await first, 'first'],
      [await stream.next(), 'second'],
    ] as const) {
      const payload = item.value as Uint8Array
      expect(Buffer.from(payload).toString()).to.equal(text)
      expect(payload.buffer.byteLength).to.equal(text.length)
    }
    await stream.return(undefined)
  })

  it('is full from 1 MiB on, with 64 bytes for each item, until some are taken', async () => {
    const { stream, answer, full } = connection()
    const first = stream.next()
    answer(Buffer.from('first'), 0)
    await first
    const half = Buffer.alloc(STREAM_QUEUE_BYTES / 2 - 64)
    answer(half, 0)
    expect(full).to.deep.equal([])
    answer(half, 0)
    expect(full).to.deep.equal([1])
    await stream.next()
    expect(full).to.deep.equal([1, -1])
    await stream.return(undefined)
    expect(full).to.deep.equal([1, -1])
  })
})
