/** Messages of RFC 3, and the frames around them. */
import { readFileSync } from 'node:fs'
import { FluxError } from '../../../src/errors/index.ts'
import { FrameParser, writeFrameHeader } from '../../../src/flux/framing.ts'
import { NODEID_ANY } from '../../../src/flux/proto.ts'
import { fixture } from '../../support/fixtures.ts'
import { decodeMessage, encodeMessage, type Message } from '../../support/message.ts'
import { assertSame, type Target } from '../target.ts'

const MOST_BYTES = 1 << 20

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(8 + message.length)
  frame.set(message, writeFrameHeader(frame, 0, message.length))
  return frame
}

const MESSAGES: Message[] = [
  {
    type: 'request',
    flags: 0,
    routes: [Buffer.from('a'.repeat(36))],
    topic: 'kvs.getroot',
    payload: Buffer.from('{"namespace":"primary"}\0'),
    userid: 1000,
    rolemask: 1,
    nodeid: NODEID_ANY,
    matchtag: 1,
  },
  {
    type: 'response',
    flags: 0,
    routes: [],
    topic: 'content.load',
    payload: Buffer.alloc(300, 7),
    userid: 0,
    rolemask: 1,
    errnum: 0,
    matchtag: 2,
  },
  { type: 'event', flags: 0, topic: 'kvs.setroot', payload: Buffer.from('{}'), userid: 0, rolemask: 1, sequence: 9 },
  { type: 'control', flags: 0, userid: 0, rolemask: 1, controlType: 1, status: 0 },
]

/** What is in a stream: its messages, and how it ends. */
function streamOf(chunks: readonly Buffer[]): { messages: unknown[]; end: string } {
  const messages: unknown[] = []
  const parser = new FrameParser(
    (bytes, start, end) => messages.push(messageIn(bytes.subarray(start, end))),
    MOST_BYTES,
  )
  try {
    for (const chunk of chunks) parser.push(chunk)
    return { messages, end: parser.incomplete ? 'incomplete' : 'whole' }
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    return { messages, end: error.message }
  }
}

function messageIn(bytes: Uint8Array): unknown {
  let message: Message
  try {
    message = decodeMessage(bytes)
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    return error.message
  }
  // Whatever was read can be written, and is the same again. A topic may hold what is no text.
  if (message.topic?.includes('\ufffd') || message.topic?.includes('\0')) return message
  assertSame(decodeMessage(encodeMessage(message)), message, 'a message and the same written and read')
  return message
}

export const messages: Target = {
  name: 'messages',
  // A frame may say a length of a megabyte.
  budgetBytes: 8 * MOST_BYTES,
  tokens: [Buffer.from('1200eeff', 'hex'), Buffer.from('8e01', 'hex'), Buffer.from('ff000000ff', 'hex'), '\0', '\x14'],
  seeds: () => {
    const all = MESSAGES.map((message) => framed(encodeMessage(message)))
    const wire = ['broker.bin', 'client.bin'].map((name) => readFileSync(fixture('wire', name)).subarray(0, 3000))
    return [...all, Buffer.concat(all), ...wire]
  },
  run(input) {
    const whole = streamOf([input])
    const size = 1 + (input.length % 13)
    const chunks: Buffer[] = []
    for (let at = 0; at < input.length; at += size) chunks.push(input.subarray(at, at + size))
    assertSame(streamOf(chunks), whole, 'a stream in pieces and in one')
    messageIn(input)
  },
  isExpected: (error) => error instanceof FluxError,
}
