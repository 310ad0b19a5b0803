/** Answers of a broker that are wrong, late, doubled, or not what was asked for. */
import { expect } from 'chai'
import { encodeJson, FLAG, type JsonObject } from '../../src/flux/index.ts'
import { type BrokerCase, brokerMatrix, INSTANCE, SILENCE_WARNING, TIMEOUT } from '../support/broker-case.ts'
import { type BrokerDoubleOptions, framed } from '../support/broker-double.ts'
import type { Scene } from '../support/fault-case.ts'
import { expected } from '../support/fixtures.ts'
import { encodeMessage, type Message, type ResponseMessage } from '../support/message.ts'
import { readTar } from '../support/read-tar.ts'

const LOAD = 'content-backing.load'

/** Change the bytes of one answer in the walk. */
function inTheWalk(bytesOf: (answer: ResponseMessage) => Uint8Array): () => BrokerDoubleOptions {
  return () => ({ tamper: (answer, { topic }, nth) => (topic === LOAD && nth === 40 ? bytesOf(answer) : undefined) })
}

/** Change the payload of one answer in the walk. */
function blobInTheWalk(change: (blob: Buffer) => Uint8Array): () => BrokerDoubleOptions {
  return inTheWalk((answer) => framed({ ...answer, payload: change(Buffer.from(answer.payload ?? [])) }))
}

/** Answer a topic with a payload. */
function payloadOf(wanted: string, payload: Uint8Array | string): () => BrokerDoubleOptions {
  return () => ({
    tamper: (answer, { topic }) =>
      topic === wanted ? framed({ ...answer, errnum: 0, payload: Buffer.from(payload) }) : undefined,
  })
}

/** Answer a load in the walk with an error, from whichever service. */
function errorInTheWalk(errnum: number, text?: string): () => BrokerDoubleOptions {
  return () => {
    let wrong: string | undefined
    return {
      tamper: (answer, { topic, payload }, nth) => {
        const hex = Buffer.from(payload).toString('hex')
        if (topic === LOAD && nth === 40) wrong = hex
        if (!topic.endsWith('.load') || hex !== wrong) return undefined
        return framed({ ...answer, errnum, payload: text === undefined ? undefined : Buffer.from(`${text}\0`) })
      },
    }
  }
}

/** The bytes of a whole frame, changed. */
function changed(message: Message, change: (frame: Buffer) => void): Uint8Array {
  const frame = Buffer.from(framed(message))
  change(frame)
  return frame
}

const ROOT = { rootref: expected('jobs').rootref, rootseq: 9, owner: 0, flags: 0, namespace: 'primary' }

/** The archive is whole: every key is in it. */
const WHOLE: Partial<BrokerCase> = {
  status: 0,
  leaves: ['x.tar'],
  check: ({ outfile }: Scene) => {
    const { entries } = expected('jobs')
    expect(readTar(outfile).map(({ name }) => name)).to.have.members(entries.map(({ path }) => path))
  },
}

const control: Message = { type: 'control', flags: 0, routes: [], userid: 0, rolemask: 1, controlType: 1, status: 7 }
const event: Message = {
  type: 'event',
  flags: 0,
  topic: 'kvs.namespace-primary-setroot',
  payload: encodeJson(ROOT as JsonObject),
  userid: 0,
  rolemask: 1,
  sequence: 12,
}

brokerMatrix('dump goes on when the broker', [
  {
    ...WHOLE,
    name: 'answers in another order',
    broker: () => ({ reverse: 7 }),
  },
  {
    ...WHOLE,
    name: 'answers twice at once',
    // One request at a time: what is written at once arrives at once.
    args: ({ outfile }) => ['dump', '-q', '--maxreqs', '1', outfile],
    broker: inTheWalk((answer) => framed(answer, answer)),
  },
  {
    ...WHOLE,
    name: 'answers a matchtag that nobody uses, and the largest one, and none',
    broker: () => ({
      tamper: (answer) =>
        framed(
          { ...answer, matchtag: 4_000_000 },
          { ...answer, matchtag: 0xffffffff },
          { ...answer, matchtag: 0 },
          answer,
        ),
    }),
  },
  {
    ...WHOLE,
    name: 'sends events, control messages and requests in between',
    broker: () => ({
      tamper: (answer) => framed(control, event, { ...answer, type: 'request', nodeid: 0, topic: 'a.b' }, answer),
    }),
  },
  {
    ...WHOLE,
    name: 'answers without route delimiter and topic',
    broker: () => ({ tamper: (answer) => framed({ ...answer, routes: undefined, topic: undefined }) }),
  },
  {
    ...WHOLE,
    name: 'says more about its root than is asked, 10 MB of it, and nested as deeply as Flux reads',
    broker: payloadOf(
      'kvs.getroot',
      `${JSON.stringify({ ...ROOT, more: 'x'.repeat(10 << 20) }).slice(0, -1)},"deep":${'['.repeat(2000)}${']'.repeat(2000)}}\0`,
    ),
  },
  {
    ...WHOLE,
    name: 'removes the namespace in the walk',
    broker: () => {
      const namespaces = { ...INSTANCE.namespaces }
      return {
        namespaces,
        latency: ({ topic }) => {
          if (topic === LOAD) delete namespaces.primary
          return 0
        },
      }
    },
  },
])

brokerMatrix('dump when a frame in the walk', [
  {
    name: 'is garbage',
    older: true,
    broker: () => ({ fault: { after: 120, kind: 'garbage' } }),
    error:
      /^flux-ts dump: not the Flux protocol: expected .+ at byte \d+, got .+; what answers at local:\S+ is no broker.*$/,
  },
  {
    name: 'claims 4 GB',
    older: true,
    broker: () => ({ fault: { after: 120, kind: 'huge' } }),
    error: /^flux-ts dump: not the Flux protocol: expected .*, got .*4294967295; .*$/,
  },
  {
    name: 'has a length of zero',
    older: true,
    broker: inTheWalk(() => Buffer.from('1200eeff00000000', 'hex')),
    error: /^flux-ts dump: not the Flux protocol: expected a message of 21 to \d+ bytes at byte \d+, got one of 0; .*$/,
  },
  {
    name: 'has the wrong magic',
    broker: inTheWalk((answer) => changed(answer, (frame) => frame.fill(0, 0, 4))),
    error: /^flux-ts dump: not the Flux protocol: expected the magic 1200eeff at byte \d+, got 00000000; .*$/,
  },
  {
    name: 'has the magic of the other byte order',
    broker: inTheWalk((answer) => changed(answer, (frame) => frame.subarray(0, 4).reverse())),
    error: /^flux-ts dump: not the Flux protocol: expected the magic 1200eeff at byte \d+, got ffee0012; .*$/,
  },
  {
    name: 'lacks the magic at the end of its message',
    broker: inTheWalk((answer) => changed(answer, (frame) => frame.fill(0, frame.length - 20, frame.length - 18))),
    error: /^flux-ts dump: not the Flux protocol: expected 8e 01 at byte \d+, got 00 00; .*$/,
  },
  {
    name: 'has routes, and no delimiter after them',
    older: true,
    broker: inTheWalk((answer) => {
      const bytes = Buffer.from(encodeMessage({ ...answer, routes: undefined }))
      bytes[bytes.length - 17] = (bytes[bytes.length - 17] as number) | FLAG.ROUTE
      return framed(bytes)
    }),
    error: /^flux-ts dump: not the Flux protocol: expected .*$/,
  },
  {
    name: 'has a part of 4 GB',
    broker: inTheWalk((answer) =>
      changed(answer, (frame) => Buffer.from('ffffffffff', 'hex').copy(frame, frame.indexOf(LOAD) - 1)),
    ),
    error:
      /^flux-ts dump: not the Flux protocol: expected a part of at most \d+ bytes at byte \d+, got one of 4294967295; .*$/,
  },
  {
    name: 'is no response',
    older: true,
    broker: inTheWalk((answer) => framed({ ...answer, type: 'request', nodeid: 0 })),
    args: ({ outfile }) => ['dump', '-q', ...TIMEOUT, outfile],
    warning: SILENCE_WARNING,
    error: /^flux-ts dump: local:\S+: no answer for [\d.]+ s, waiting for content-backing\.load; .*$/,
  },
  {
    name: 'has a type that does not exist',
    broker: inTheWalk((answer) =>
      changed(answer, (frame) => {
        frame[frame.length - 18] = 3
      }),
    ),
    args: ({ outfile }) => ['dump', '-q', ...TIMEOUT, outfile],
    warning: SILENCE_WARNING,
    error: /^flux-ts dump: local:\S+: no answer for [\d.]+ s, waiting for content-backing\.load; .*$/,
  },
  {
    name: 'comes again after the next request, which has its matchtag',
    older: true,
    args: ({ outfile }) => ['dump', '-q', '--maxreqs', '1', outfile],
    broker: () => {
      let earlier: ResponseMessage | undefined
      return {
        tamper: (answer, { topic }, nth) => {
          if (topic !== LOAD || nth < 43) return undefined
          const again = nth === 44 ? earlier : undefined
          earlier = answer
          return again && framed(again, answer)
        },
      }
    },
    error: /^flux-ts dump: \S+: .*altered.*sha1-[0-9a-f]{40}.*$/,
  },
  {
    name: 'is the answer to another request, and that one gets this',
    broker: () => {
      let kept: ResponseMessage | undefined
      return {
        tamper: (answer, { topic }, nth) => {
          if (topic !== LOAD || (nth !== 40 && nth !== 41)) return undefined
          if (nth === 40) {
            kept = answer
            return Buffer.alloc(0)
          }
          const [a, b] = [kept as ResponseMessage, answer]
          return framed({ ...a, payload: b.payload }, { ...b, payload: a.payload })
        },
      }
    },
    error: /^flux-ts dump: \S+: .*altered.*sha1-[0-9a-f]{40}.*$/,
  },
])

brokerMatrix('dump when a blob comes', [
  ...(
    [
      ['with one bit that is wrong', (blob) => blob.fill((blob[0] as number) ^ 1, 0, 1)],
      ['without its last byte', (blob) => blob.subarray(0, -1)],
      ['with a byte too many', (blob) => Buffer.concat([blob, Buffer.from('x')])],
      ['with 10 MB too many', (blob) => Buffer.concat([blob, Buffer.alloc(10 << 20)])],
      ['as nothing', () => Buffer.alloc(0)],
    ] as [string, (blob: Buffer) => Uint8Array][]
  ).map(
    ([name, change], i): BrokerCase => ({
      name,
      older: i % 2 === 0,
      broker: blobInTheWalk(change),
      error: /^flux-ts dump: \S+: .*altered.*sha1-[0-9a-f]{40}.*$/,
    }),
  ),
  {
    name: 'as an error that the KVS calls garbage that was removed',
    older: true,
    broker: errorInTheWalk(2),
    error: /^flux-ts dump: \S+: .*No such file or directory.*sha1-[0-9a-f]{40}.*$/,
  },
  {
    name: 'as an error with a number that nobody knows',
    broker: errorInTheWalk(4242),
    error: /^flux-ts dump: .*errno 4242.*$/,
  },
  {
    name: 'as an error with a number that nobody knows, and what cannot be read may be missing',
    older: true,
    broker: errorInTheWalk(4242),
    args: ({ outfile }) => ['dump', '-q', '--ignore-failed-read', outfile],
    error: /^flux-ts dump: .*errno 4242.*$/,
  },
  {
    name: 'as an error with a negative number',
    broker: errorInTheWalk(-2),
    error: /^flux-ts dump: .*errno 4294967294.*$/,
  },
  {
    name: 'as an error whose text clears the screen and goes on in other lines',
    broker: errorInTheWalk(1, '\u001b[2Jroot\r\nflux-ts dump: all is well'),
    error: /^flux-ts dump: content\.load: \\x1b\[2Jroot(\\r)?( |\\n)flux-ts dump: all is well.*$/,
  },
  {
    name: 'as an error with a text of 1 MB',
    broker: errorInTheWalk(1, 'x'.repeat(1 << 20)),
    error: /^flux-ts dump: content\.load: x{100,2000}….*$/,
  },
  {
    name: 'only to the owner',
    older: true,
    broker: () => {
      const errors = { errnum: 1, text: 'Request requires owner credentials' }
      return { errors: { 'content.load': errors, 'content-backing.load': errors } }
    },
    error: /^flux-ts dump: content\.load: Request requires owner credentials$/,
  },
  {
    name: 'no more, because the backing store was unloaded',
    older: true,
    broker: () => {
      const unloaded: string[] = []
      return {
        unloaded,
        latency: ({ topic }) => {
          if (topic === LOAD && unloaded.length === 0) unloaded.push('content-backing')
          return 0
        },
      }
    },
    error: /^flux-ts dump: local:\S+: the backing store is gone.*$/,
  },
  {
    name: 'no more, because the rank is down',
    older: true,
    broker: errorInTheWalk(113),
    error: /^flux-ts dump: content\.load: No route to host$/,
  },
])

/** Answers to the first requests, which are JSON. */
const NOT_JSON: [name: string, payload: string, error: RegExp][] = [
  ['is no JSON', '{"rootref":\0', /^flux-ts dump: kvs\.getroot: the payload is not a JSON object.*$/],
  [
    'lacks the NUL at its end',
    JSON.stringify(ROOT),
    /^flux-ts dump: kvs\.getroot: the payload is not a JSON object.*$/,
  ],
  ['is a list', '[1]\0', /^flux-ts dump: kvs\.getroot: the payload is not a JSON object.*$/],
  ['is nothing', '', /^flux-ts dump: local:\S+: the response of kvs\.getroot lacks rootref, rootseq or owner.*$/],
  [
    'is nested 100,000 levels deep',
    `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}\0`,
    /^flux-ts dump: kvs\.getroot: the payload is not a JSON object.*$/,
  ],
  [
    'has members of other types',
    `${JSON.stringify({ ...ROOT, rootseq: '9' })}\0`,
    /^flux-ts dump: local:\S+: the response of kvs\.getroot lacks rootref, rootseq or owner.*$/,
  ],
  [
    'has a root that is no blobref, but moves the cursor',
    `${JSON.stringify({ ...ROOT, rootref: '\u001b[2Jsha1-x' })}\0`,
    /^flux-ts dump: \\x1b\[2Jsha1-x: not a blobref.*$/,
  ],
  [
    'has a sequence that is no whole number',
    `${JSON.stringify({ ...ROOT, rootseq: -1.5 })}\0`,
    /^flux-ts dump: local:\S+: the response of kvs\.getroot lacks rootref, rootseq or owner$/,
  ],
]

brokerMatrix('dump when the answer about the root', [
  ...NOT_JSON.map(
    ([name, payload, error], i): BrokerCase => ({
      name,
      older: i % 2 === 0,
      broker: payloadOf('kvs.getroot', payload),
      error,
    }),
  ),
  {
    name: 'is for the owner alone',
    broker: () => ({ errors: { 'kvs.getroot': { errnum: 1, text: 'Request requires owner credentials' } } }),
    error: /^flux-ts dump: error fetching current KVS root: Request requires owner credentials$/,
  },
  {
    name: 'is that the module is not loaded',
    broker: () => ({ unloaded: ['kvs'] }),
    error:
      /^flux-ts dump: error fetching current KVS root: No service matching kvs\.getroot is registered; .*--checkpoint.*$/,
  },
  {
    name: 'is that the namespace is gone',
    args: ({ outfile }) => ['dump', '-q', '-N', 'job-1', outfile],
    error: /^flux-ts dump: error fetching current KVS root: Operation not supported; there is no namespace job-1$/,
  },
  {
    name: 'is that rank 0 is down',
    broker: () => ({ errors: { 'kvs.getroot': { errnum: 113 } } }),
    error: /^flux-ts dump: error fetching current KVS root: No route to host$/,
  },
  {
    name: 'is that there is no checkpoint',
    broker: () => ({ checkpoints: [] }),
    args: ({ outfile }) => ['dump', '-q', '--checkpoint', outfile],
    error: /^flux-ts dump: error fetching checkpoints: No such file or directory; none has been written yet: .*$/,
  },
  {
    name: 'is a checkpoint that is none',
    broker: () => ({ answers: { 'content.checkpoint-get': { value: [null, 7] } } }),
    args: ({ outfile }) => ['dump', '-q', '--checkpoint', outfile],
    error: /^flux-ts dump: error fetching checkpoints: checkpoint 0: not a checkpoint object$/,
  },
])

brokerMatrix('dump when the broker says of itself', [
  {
    name: 'that its hash is md5, in red',
    broker: () => ({ attributes: { 'content.hash': '\u001b[31mmd5' } }),
    error: /^flux-ts dump: local:\S+: content\.hash is \\x1b\[31mmd5, which is not known here$/,
  },
  {
    name: 'that its hash is a number',
    broker: () => ({ answers: { 'attr.get': { value: 1 } } }),
    error: /^flux-ts dump: attr\.get: the value of content\.hash is not a string$/,
  },
  {
    name: 'that its hash is the other one',
    broker: () => ({ attributes: { 'content.hash': 'sha256' } }),
    error: /^flux-ts dump: .*sha1-[0-9a-f]{40}.*$/,
  },
  {
    name: 'nothing, not even its attributes',
    broker: () => ({ errors: { 'attr.get': { errnum: 38 } } }),
    error: /^flux-ts dump: attr\.get: Function not implemented.*$/,
  },
])
