/** A second signal ends every command at once, whatever the first one waits for. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { INSTANCE } from '../support/broker-case.ts'
import { BrokerDouble } from '../support/broker-double.ts'
import { OLDER } from '../support/fault-case.ts'
import { type FaultPoint, heldAt } from '../support/fault-points.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { fluxTs, startFluxTs, until } from '../support/processes.ts'

const STORE = fixture('jobs')
const ARCHIVE = fixture('jobs', 'dump.tgz')

/** A flush to disk that takes its time. */
const FLUSH: FaultPoint = { call: 'fsync', on: /\.part$/, pends: true }

/** What is under way when the signals come, and the name of what the command makes. */
const PHASES: Record<string, [point: FaultPoint, output: string, args: (path: string) => string[]]> = {
  ...Object.fromEntries(
    ['x.tar', 'x.zip', 'x.iso'].map((name) => [
      `a dump flushes ${name}`,
      [FLUSH, name, (path: string) => ['dump', '-q', '--store', STORE, path]],
    ]),
  ),
  'a dump flushes its checksum': [
    { ...FLUSH, on: /sha256.*\.part$/ },
    'x.tar',
    (path) => ['dump', '-q', '--checksum', '--store', STORE, path],
  ],
  'a dump writes': [
    { call: 'write', on: /\.part$/, pends: true },
    'x.tar',
    (path) => ['dump', '-q', '--store', STORE, path],
  ],
  'a thread of a dump writes': [
    { call: 'openSync', on: /\.part\/job/ },
    'x',
    (path) => ['dump', '-q', '--store', STORE, `${path}/`],
  ],
  'a dump reads what it has written': [
    { call: 'read', on: /\.part$/, pends: true },
    'x.tar',
    (path) => ['dump', '-q', '--verify-after', '--store', STORE, path],
  ],
  'a restore stores': [
    { call: 'exec', on: /^BEGIN IMMEDIATE/ },
    'x.sqlite',
    (path) => ['restore', '-q', '--store', path, ARCHIVE],
  ],
  'a restore commits': [
    { call: 'exec', on: /^COMMIT/ },
    'x.sqlite',
    (path) => ['restore', '-q', '--store', path, ARCHIVE],
  ],
  'a restore flushes its store': [
    { call: 'fsyncSync', on: /\.part$/ },
    'x.sqlite',
    (path) => ['restore', '-q', '--store', path, ARCHIVE],
  ],
  'a compaction flushes its store': [
    { call: 'fsyncSync', on: /\.part$/ },
    'x.sqlite',
    (path) => ['content', 'compact', '-q', '--store', STORE, path],
  ],
  ...Object.fromEntries(
    ['csv', 'ndjson', 'parquet', 'sqlite'].map((format) => [
      `an export of jobs flushes its ${format}`,
      [FLUSH, `x.${format}`, (path: string) => ['jobs', 'export', '--quiet', '--store', STORE, path]],
    ]),
  ),
  'a report is flushed': [FLUSH, 'x.html', (path) => ['report', '--store', STORE, path]],
}

/** True when a process catches a signal by its number, and does not leave it to the system. */
function catches(pid: number, number: number): boolean {
  const mask = /SigCgt:\s*(\S+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? ''
  return ((Number.parseInt(mask.slice(-8), 16) >>> (number - 1)) & 1) === 1
}

const SIGTERM = 15

type Command = Pick<ReturnType<typeof startFluxTs>, 'child' | 'ended'>

/** Send a signal, and another when the first is heard. @returns what ended it */
async function signalTwice({ child, ended }: Command): Promise<string> {
  const pid = child.pid as number
  child.kill('SIGTERM')
  await until(() => !catches(pid, SIGTERM), child)
  child.kill('SIGINT')
  const { signal, status } = await ended
  return signal ?? String(status)
}

describe('a second signal ends at once, and leaves nothing under its name, while', () => {
  for (const [name, [point, output, args]] of Object.entries(PHASES)) {
    it(name, async () => {
      const dir = join(scratch(), 'out')
      mkdirSync(dir)
      const path = join(dir, output)
      const isReplaced = point.call !== 'openSync' && /\.(tar|zip|iso)$/.test(output)
      if (isReplaced) writeFileSync(path, OLDER)
      const command = args(path)
      const held = await heldAt(point, command)
      try {
        expect(await signalTwice(held)).to.be.oneOf(['SIGINT', '130'])
      } finally {
        held.release()
      }
      if (isReplaced) expect(readFileSync(path, 'utf8')).to.equal(OLDER)
      else expect(existsSync(path)).to.equal(false)
      // The next one takes away what is left.
      expect(fluxTs(command)).to.include({ status: 0, stderr: '' })
      expect(readdirSync(dir)).to.deep.equal(command.includes('--checksum') ? [output, `${output}.sha256`] : [output])
    })
  }
})

/** What a broker is waited for. */
const WAITING: Record<string, [topic: string, args: string[]]> = {
  'kvs get --watch': ['kvs-watch.lookup', ['kvs', 'get', '--watch', 'resource.R']],
  'kvs get --waitcreate': ['kvs-watch.lookup', ['kvs', 'get', '--waitcreate', 'none']],
  'kvs wait': ['kvs.wait-version', ['kvs', 'wait', '1']],
  'kvs eventlog wait-event': ['kvs-watch.lookup', ['kvs', 'eventlog', 'wait-event', 'resource.eventlog', 'never']],
  dump: ['content-backing.load', ['dump', '-q', '-']],
  restore: ['kvs.commit', ['restore', '-q', '--key', 'a', ARCHIVE]],
}

describe('a second signal ends at once, while a broker does not answer', () => {
  for (const [name, [topic, args]] of Object.entries(WAITING)) {
    it(name, async () => {
      const silence = { stream: [], open: true }
      await using broker = await BrokerDouble.start({ ...INSTANCE, answers: { [topic]: silence } })
      const command = startFluxTs([...args, '--uri', broker.uri])
      await until(() => broker.requestsOf(topic).length > 0, command.child)
      // The first one may do: then there is no second.
      expect(await signalTwice(command)).to.be.oneOf(['SIGINT', '130'])
    })
  }
})
