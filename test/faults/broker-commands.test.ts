/** Brokers that fail under commands other than dump. */
import { expect } from 'chai'
import { type BrokerCase, brokerMatrix, brokerOf, SILENCE_WARNING, TIMEOUT } from '../support/broker-case.ts'
import { type BrokerDoubleOptions, framed } from '../support/broker-double.ts'
import type { Running, Scene } from '../support/fault-case.ts'
import { expected, fixture } from '../support/fixtures.ts'

const STORE = 'content-backing.store'
const ARCHIVE = fixture('basic', 'dump.tar')
const { rootref } = expected('jobs')
const restore = () => ['restore', '-q', '--key', 'a', ARCHIVE]

/** Nothing was committed. */
const NOTHING_COMMITTED: BrokerCase['check'] = (scene) => {
  expect(brokerOf(scene).requestsOf('kvs.commit')).to.deep.equal([])
}

/** Answer the requests of a topic, or only one of them, with these bytes. */
function answering(wanted: string, payload: Uint8Array | string, wantedNth?: number): () => BrokerDoubleOptions {
  return () => ({
    tamper: (answer, { topic }, nth) =>
      topic === wanted && (wantedNth ?? nth) === nth
        ? framed({ ...answer, errnum: 0, payload: Buffer.from(payload) })
        : undefined,
  })
}

/** Drop the connection instead of the answer to a topic. */
function dropping(wanted: string): (scene: Scene) => BrokerDoubleOptions {
  return (scene) => ({
    latency: ({ topic }) => {
      if (topic === wanted) brokerOf(scene).dropAll()
      return 0
    },
  })
}

/** Wait until a topic was asked for. */
async function askedFor(scene: Scene, topic: string): Promise<void> {
  while (brokerOf(scene).requestsOf(topic).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

brokerMatrix('restore when the broker', [
  {
    name: 'has no room for a blob',
    broker: () => ({ errors: { [STORE]: { errnum: 28 }, 'content.store': { errnum: 28 } } }),
    args: restore,
    error: /^flux-ts restore: error storing blob: No space left on device$/,
    check: NOTHING_COMMITTED,
  },
  {
    name: 'does not let a guest store',
    broker: () => ({ errors: { [STORE]: { errnum: 1 }, 'content.store': { errnum: 1 } } }),
    args: restore,
    error: /^flux-ts restore: error storing blob: Operation not permitted$/,
    check: NOTHING_COMMITTED,
  },
  {
    name: 'stores a blob under another digest',
    broker: answering(STORE, Buffer.alloc(20, 7), 2),
    args: restore,
    error: /^flux-ts restore: local:\S+: stored sha1-[0-9a-f]{40} under the digest (07){20}$/,
    check: NOTHING_COMMITTED,
  },
  {
    name: 'answers a blob with nothing',
    broker: answering(STORE, '', 2),
    args: restore,
    error: /^flux-ts restore: local:\S+: stored sha1-[0-9a-f]{40} under the digest .*$/,
    check: NOTHING_COMMITTED,
  },
  {
    name: 'is killed while blobs are stored',
    ownProcess: { at: 4, signal: 'SIGKILL' },
    args: restore,
    error: /^flux-ts restore: local:\S+: lost the connection to the broker; .*$/,
  },
  {
    name: 'is stopped while blobs are stored',
    ownProcess: { at: 4, signal: 'SIGSTOP' },
    args: () => [...restore(), ...TIMEOUT],
    warning: SILENCE_WARNING,
    error: /^flux-ts restore: local:\S+: no answer for [\d.]+ s, waiting for content-backing\.store; .*$/,
  },
  {
    name: 'is killed while the key is committed',
    broker: dropping('kvs.commit'),
    args: restore,
    error: /^flux-ts restore: local:\S+: lost the connection to the broker; .*$/,
  },
  {
    name: 'does not answer the commit',
    broker: () => ({ answers: { 'kvs.commit': { stream: [], open: true } } }),
    args: () => [...restore(), ...TIMEOUT],
    warning: SILENCE_WARNING,
    error: /^flux-ts restore: local:\S+: no answer for [\d.]+ s, waiting for kvs\.commit; .*$/,
  },
  {
    name: 'refuses the commit',
    broker: () => ({ errors: { 'kvs.commit': { errnum: 1, text: 'nested\u001b[2J' } } }),
    args: restore,
    error: /^flux-ts restore: error updating a: nested\\x1b\[2J$/,
  },
  {
    name: 'runs its KVS, which a checkpoint would not reach',
    args: () => ['restore', '-q', '--checkpoint', ARCHIVE],
    error: /^flux-ts restore: please unload kvs module before using --checkpoint$/,
  },
])

/** Commands that ask once, or for ever. */
const READING: Record<string, { topic: string; args: readonly string[]; wrong?: string; said?: RegExp }> = {
  'kvs get': {
    topic: 'kvs.lookup',
    args: ['kvs', 'get', 'resource.R'],
    wrong: '{}\0',
    said: /^flux-ts kvs get: kvs\.lookup: the response lacks val$/,
  },
  'kvs dir': { topic: 'kvs.lookup', args: ['kvs', 'dir'], wrong: '{"val":{"type":"dir","ver":1,"data":[1]}}\0' },
  'kvs getroot': { topic: 'kvs.getroot', args: ['kvs', 'getroot'], wrong: '{"rootref":1}\0' },
  'kvs namespace list': {
    topic: 'kvs.namespace-list',
    args: ['kvs', 'namespace', 'list'],
    wrong: '{"namespaces":5}\0',
    said: /^flux-ts kvs namespace list: local:\S+: the response of kvs\.namespace-list lacks namespaces$/,
  },
  'kvs wait': {
    topic: 'kvs.wait-version',
    args: ['kvs', 'wait', '1'],
    wrong: '{"rootseq":"x"}\0',
    said: /^flux-ts kvs wait: .*: the response of kvs\.wait-version lacks rootref or rootseq$/,
  },
  'kvs eventlog wait-event': {
    topic: 'kvs-watch.lookup',
    args: ['kvs', 'eventlog', 'wait-event', 'resource.eventlog', 'never'],
    wrong: '{"val":{"type":"val","ver":1,"data":7}}\0',
  },
  'content load': { topic: 'content-backing.load', args: ['content', 'load', rootref], wrong: 'other bytes' },
  'content stats': {
    topic: 'content.stats-get',
    args: ['content', 'stats'],
    wrong: '{"count":"many"}\0',
    said: /^flux-ts content stats: local:\S+: the response of content\.stats-get lacks a number$/,
  },
  jobs: { topic: 'content-backing.load', args: ['jobs', '-a'], wrong: '[]' },
  du: { topic: 'content-backing.load', args: ['du'], wrong: '[]' },
}

/** One line, without a control character or the name of an error of JavaScript. */
const lineOf = (name: string) =>
  new RegExp(`^flux-ts ${name}: (?!.*(TypeError|undefined|\\bNaN\\b|at file:))[^\\x00-\\x1f]+$`)

brokerMatrix(
  'a broker that dies under',
  Object.entries(READING).map(([name, { topic, args }]) => ({
    name,
    broker: dropping(topic),
    args: () => args,
    error: new RegExp(`^flux-ts ${name}: .*lost the connection to the broker; .*$`),
  })),
)

brokerMatrix(
  'an answer of a wrong type for',
  Object.entries(READING).map(([name, { topic, args, wrong = '', said }]) => ({
    name,
    broker: answering(topic, wrong),
    args: () => args,
    error: said ?? lineOf(name),
  })),
)

brokerMatrix('a broker that is stopped under', [
  ...['kvs get', 'kvs dir', 'content load', 'content stats', 'jobs', 'du'].map((name): BrokerCase => {
    const { topic, args } = READING[name] as { topic: string; args: readonly string[] }
    return {
      name,
      broker: () => ({ answers: { [topic]: { stream: [], open: true } } }),
      args: () => [...args, ...TIMEOUT],
      warning: SILENCE_WARNING,
      error: new RegExp(`^flux-ts ${name}: .*no answer for [\\d.]+ s, waiting for ${topic.replace('.', '\\.')}; .*$`),
    }
  }),
  ...[
    ['kvs', 'get', '--watch', 'resource.R'],
    READING['kvs wait']?.args ?? [],
    READING['kvs eventlog wait-event']?.args ?? [],
  ].map(
    (args, i): BrokerCase => ({
      name: `${args.slice(0, 3).join(' ')}, which waits until it is interrupted`,
      broker: () => ({
        answers: { 'kvs-watch.lookup': { stream: [], open: true }, 'kvs.wait-version': { stream: [], open: true } },
      }),
      // That of an event is the time for the event.
      args: () => (i < 2 ? [...args, '--timeout', '20ms'] : args),
      during: async (scene: Scene, running: Running) => {
        await askedFor(scene, i === 1 ? 'kvs.wait-version' : 'kvs-watch.lookup')
        running.kill('SIGINT')
      },
      status: 130,
      error: /^flux-ts [\w -]+: interrupted by SIGINT$/,
    }),
  ),
])

brokerMatrix('a guest', [
  ...['kvs get', 'kvs getroot', 'kvs namespace list', 'content load', 'content stats'].map((name): BrokerCase => {
    const { topic, args } = READING[name] as { topic: string; args: readonly string[] }
    const refusal = { errnum: 1, text: 'Request requires owner credentials' }
    return {
      name: `is told so by ${name}`,
      broker: () => ({ errors: { [topic]: refusal, 'content.load': refusal } }),
      args: () => args,
      error:
        name === 'content stats'
          ? /^flux-ts content stats: error fetching content statistics: Request requires owner credentials$/
          : new RegExp(`^flux-ts ${name}: .*(Request requires owner credentials|Operation not permitted).*$`),
    }
  }),
])
