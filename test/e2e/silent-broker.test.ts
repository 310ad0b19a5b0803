/** Brokers that do not answer: what the commands say of them, and when they give up. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { BrokerStore, LOOKUP } from '../../src/content/index.ts'
import { BrokerDouble } from '../support/broker-double.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'

const CONTENT = fixture('basic', 'content.sqlite')
const { rootref } = expected('basic')
const namespaces = { primary: { rootref } }
/** An answer that never comes. */
const SILENCE = { stream: [], open: true }

const COMMANDS = {
  dump: (dir: string) => ['dump', join(dir, 'x.tar')],
  fsck: () => ['fsck'],
  'content load': () => ['content', 'load', rootref],
  'content validate': () => ['content', 'validate', rootref],
  restore: () => ['restore', '--key', 'a', fixture('basic', 'dump.tar')],
  'kvs get': () => ['kvs', 'get', 'a'],
} as const

describe('a silent broker', () => {
  for (const [name, argsOf] of Object.entries(COMMANDS)) {
    it(`ends ${name} in one line, after a line that says what it waits for`, async () => {
      const dir = scratch()
      // The first requests are those of opening.
      for (const after of [1, 4]) {
        await using broker = await BrokerDouble.start({
          content: CONTENT,
          namespaces,
          fault: { after, kind: 'silence' },
        })
        const args = [...argsOf(dir), '--uri', broker.uri, '--timeout', '400ms']
        const { status, stderr } = await runInProcess(args)
        const lines = stderr.split('\n').filter((line) => !/archived|restored|Checking/.test(line))
        if (after > broker.requests.length) continue
        expect(lines[0]).to.match(/: local:.*: no answer for 0.2 s; still waiting for [\w.-]+$/)
        expect(lines[1]).to.match(/: .*no answer for 0.4 s, waiting for [\w.-]+; is the broker stopped/)
        expect(lines.slice(2)).to.deep.equal([''])
        expect(status).to.equal(1)
        expect(readdirSync(dir)).to.deep.equal([])
      }
    })
  }

  it('is ETIMEDOUT in JSON', async () => {
    await using broker = await BrokerDouble.start({ handshake: 'silent' })
    const { status, stdout } = await runInProcess(['kvs', 'get', 'a', '--json', '--uri', broker.uri, '--timeout=0.1'])
    expect(JSON.parse(stdout.toString()).error).to.include({ code: 'ETIMEDOUT', exit: 1 })
    expect(status).to.equal(1)
  })

  it('may be one that is stopped', async () => {
    const path = join(scratch(), 'local')
    const script = `require('net').createServer((s) => s.write('\\0')).listen(${JSON.stringify(path)}, () => console.log())`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(child.stdout, 'data')
      child.kill('SIGSTOP')
      const { status, stderr } = await runInProcess(['kvs', 'get', 'a', '--uri', `local://${path}`, '--timeout', '0.2'])
      expect(stderr.trim().split('\n').at(-1)).to.match(/no answer for 0.2 s, waiting for the broker to let us in; /)
      expect(status).to.equal(1)
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('may be one whose queue of connections is full', async () => {
    const path = join(scratch(), 'local')
    const script = `require('net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => console.log())`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const waiting: Socket[] = []
    try {
      await once(child.stdout, 'data')
      child.kill('SIGSTOP')
      // An error says that there is no room for another.
      for (let isFull = false; !isFull; ) {
        const socket = connect(path)
        waiting.push(socket)
        isFull = await once(socket, 'connect').then(
          () => false,
          () => true,
        )
      }
      const { status, stderr } = await runInProcess(['kvs', 'get', 'a', '--uri', `local://${path}`, '--timeout', '0.2'])
      expect(stderr.trim().split('\n').at(-1)).to.match(/no answer for 0.2 s, waiting for the broker to let us in; /)
      expect(status).to.equal(1)
    } finally {
      for (const socket of waiting) socket.destroy()
      child.kill('SIGKILL')
    }
  })

  it('is waited for where something is to happen first', async () => {
    await using broker = await BrokerDouble.start({
      content: CONTENT,
      namespaces,
      answers: Object.fromEntries(
        ['kvs.lookup', 'kvs-watch.lookup', 'kvs.wait-version'].map((topic) => [topic, SILENCE]),
      ),
    })
    const options = { silenceTimeoutMs: 100 }
    await using patient = await BrokerStore.open(broker.uri, options)
    await using impatient = await BrokerStore.open(broker.uri, options)
    const codes: string[] = []
    const note = ({ code }: { code: string }) => codes.push(code)
    const pending = [
      patient.instance.kvs.waitVersion('primary', 9).catch(note),
      patient.instance.kvs.lookup({ key: 'a', flags: LOOKUP.WAITCREATE, namespace: 'primary' }).catch(note),
      patient.instance.kvs.lookupStream({ key: 'a', flags: LOOKUP.WATCH, namespace: 'primary' }).next().catch(note),
    ]
    await impatient.instance.kvs.lookup({ key: 'a', flags: 0, namespace: 'primary' }).catch(note)
    expect(codes).to.deep.equal(['ETIMEDOUT'])
    await patient.close()
    await Promise.all(pending)
    expect(codes.slice(1)).to.deep.equal(['ECANCELED', 'ECANCELED', 'ECANCELED'])
  })

  it('refuses a timeout that is none, and one of a store', async () => {
    for (const args of [
      ['--timeout', 'soon'],
      ['--timeout', '1', '--store', CONTENT],
    ]) {
      expect((await runInProcess(['kvs', 'get', 'a', ...args])).status).to.equal(2)
    }
  })
})
