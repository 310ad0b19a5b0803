/** Messages of RFC 3, and the frames around them. */
import { readFileSync } from 'node:fs'
import { BrokerKvs } from '../../../src/content/broker/broker-kvs.ts'
import type { ReadCounts } from '../../../src/content/read-counts.ts'
import { FluxError } from '../../../src/errors/index.ts'
import { FrameParser, writeFrameHeader } from '../../../src/flux/framing.ts'
import { decodeJson, type Flux, type JsonObject } from '../../../src/flux/index.ts'
import { NODEID_ANY } from '../../../src/flux/proto.ts'
import { ServiceReader } from '../../../src/kvs/index.ts'
import { fixture } from '../../support/fixtures.ts'
import { decodeMessage, encodeMessage, type Message } from '../../support/message.ts'
import { assertSame, type Target } from '../target.ts'

const MOST_BYTES = 1 << 20

const REF = `sha1-${'0'.repeat(40)}`
const DIRREF = { type: 'dirref', data: [REF], ver: 1 } as const
const VALREF = { type: 'valref', data: [REF], ver: 1 } as const

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

/** A broker whose every answer has one payload. */
class OneAnswer {
  readonly uri = 'local:///x'
  readonly #payload: Uint8Array

  constructor(payload: Uint8Array) {
    this.#payload = payload
  }

  async rpc(topic: string): Promise<JsonObject> {
    return decodeJson(this.#payload, topic)
  }

  async rpcBatch(_topic: string, payloads: readonly Uint8Array[]): Promise<{ results: Uint8Array[] }> {
    return { results: payloads.map(() => this.#payload) }
  }

  async *rpcStream(topic: string): AsyncGenerator<JsonObject, void, void> {
    yield await this.rpc(topic)
    yield await this.rpc(topic)
  }
}

async function all(values: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of values);
}

/** What the KVS of a broker answers, to lookups of every kind. */
export const answers: Target = {
  name: 'answers',
  budgetBytes: 4 * MOST_BYTES,
  maxBytes: 2048,
  tokens: [
    '{"val":',
    '"type":"val"',
    '"type":"valref"',
    '"type":"dir"',
    '"type":"symlink"',
    '"ver":1',
    '"data":',
    'YQ==',
    '\0',
    '[]',
    '{}',
    'null',
  ],
  seeds: () =>
    [
      '{"val":{"data":"YQ==","type":"val","ver":1}}',
      `{"val":{"data":["sha1-${'0'.repeat(40)}","sha1-${'1'.repeat(40)}"],"type":"valref","ver":1}}`,
      '{"val":{"data":{"a":{"data":"","type":"val","ver":1},"b":{"data":{},"type":"dir","ver":1}},"type":"dir","ver":1}}',
      '{"val":{"data":{"target":"a.b","namespace":"x"},"type":"symlink","ver":1}}',
      `{"rootref":"sha1-${'0'.repeat(40)}","rootseq":3,"owner":-1}`,
      '{"namespaces":[{"namespace":"primary","owner":100,"flags":0}]}',
    ].map((text) => Buffer.from(`${text}\0`)),
  async run(input) {
    const service = new BrokerKvs(new OneAnswer(input) as unknown as Flux, { keys: 0 } as ReadCounts)
    const reader = new ServiceReader(service)
    for (const ask of [
      () => service.root('primary'),
      () => service.namespaces(),
      () => service.waitVersion('primary', 1),
      ...(['value', 'dir', 'link', 'treeobj'] as const).map((kind) => () => reader.lookup('a.b', kind as 'value')),
      () => all(reader.read('a.b')),
      () => all(reader.watch('a.b')),
      () => reader.openDirs([{ key: 'a', obj: DIRREF }]),
      () => reader.readStarts([{ key: 'a', obj: VALREF }]),
    ]) {
      try {
        await ask()
      } catch (error) {
        if (!(error instanceof FluxError)) throw error
      }
    }
  },
  isExpected: () => false,
}
