/** The kvs commands as processes, and what they say to bad input. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { BrokerDouble } from '../support/broker-double.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { CLI, fluxTsAside, run, startFluxTs } from '../support/processes.ts'
import { Blobs, dir, raw, symlink, val, valref, writeSqlite } from '../support/trees.ts'

const JOBS = fixture('jobs', 'content.sqlite')
const { rootref, entries } = expected('jobs')

/** A store of one tree. */
function storeOf(tree: Parameters<Blobs['tree']>[0]): string {
  const blobs = new Blobs()
  const path = join(scratch(), 'content.sqlite')
  writeSqlite(path, blobs, [blobs.tree(tree)])
  return path
}

function live(options: object = {}): Promise<BrokerDouble> {
  return BrokerDouble.start({ content: JOBS, namespaces: { primary: { rootref, rootseq: 9 } }, ...options })
}

async function json(args: string[], env = {}): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await runInProcess(['kvs', ...args, '--json'], env)
  expect(stderr).to.equal('')
  return JSON.parse(stdout.toString())
}

describe('flux-ts kvs', () => {
  it('gives every value of a snapshot, byte for byte, live, from its store and from its dump', async () => {
    await using broker = await live()
    const values = entries.filter((entry) => entry.type === 'value')
    const wanted = createHash('sha256')
    const { stdout } = await fluxTsAside(['kvs', 'get', '--raw', '--store', JOBS, ...values.map(({ key }) => key)])
    for (const { key, sha256 } of values.slice(0, 3)) {
      const [value] = (await json(['get', key, '--store', JOBS])).values as { value?: string; base64?: string }[]
      const bytes = value?.value ?? Buffer.from(value?.base64 as string, 'base64')
      expect(createHash('sha256').update(bytes).digest('hex')).to.equal(sha256)
    }
    wanted.update(stdout)
    const digest = wanted.digest('hex')
    for (const flags of [[], ['--archive', fixture('jobs', 'dump.tgz')]]) {
      const args = ['kvs', 'get', '--raw', ...flags, ...values.map(({ key }) => key)]
      const other = await fluxTsAside(args, { FLUX_URI: broker.uri })
      expect(createHash('sha256').update(other.stdout).digest('hex')).to.equal(digest)
    }
  })

  it('prints whole numbers of 64 bits as they are with --json, live and from a store', async () => {
    const id = '9007199254740993000'
    const eventlog = `{"timestamp":1.5,"name":"memo","context":{"id":${id},"n":[-${id},1]}}\n`
    const blobs = new Blobs()
    const rootref = blobs.tree({
      eventlog: val(eventlog),
      job: dir({ '0000': dir({ '0000': dir({ '0000': dir({ '0001': dir({ eventlog: val(eventlog) }) }) }) }) }),
    })
    const content = new Map([...blobs].map(([blobref, blob]) => [blobref.slice(5), blob]))
    await using broker = await live({ content, namespaces: { primary: { rootref } } })
    const store = join(scratch(), 'content.sqlite')
    writeSqlite(store, blobs, [rootref])
    for (const source of [
      ['--uri', broker.uri],
      ['--store', store],
    ]) {
      for (const args of [['kvs', 'eventlog', 'get', 'eventlog'], ['job', 'get', '1'], ['jobs']]) {
        const { stdout } = await runInProcess([...args, '--json', ...source])
        const text = stdout.toString().replaceAll(/\s/g, '')
        expect(text, args.join(' ')).to.contain(`"id":${id},"n":[-${id},1]`)
      }
    }
  })

  it('streams a value larger than it holds', async () => {
    const part = Buffer.alloc(4 << 20, 'x')
    const store = storeOf({ huge: valref(...new Array(100).fill(part)), end: val('end') })
    const { child, ended } = startFluxTs(['kvs', 'get', '--raw', 'huge', 'end', '--store', store])
    let bytes = 0
    let peakKb = 0
    for await (const chunk of child.stdout) {
      bytes += (chunk as Buffer).length
      if (bytes % (8 << 20) > 1 << 20) continue
      const [, kb] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
      peakKb = Math.max(peakKb, Number(kb ?? 0))
    }
    expect((await ended).status).to.equal(0)
    expect(bytes).to.equal(100 * part.length + 3)
    expect(peakKb * 1024)
      .to.be.greaterThan(0)
      .and.lessThan(300 << 20)
  })

  it('says in one line that it cannot write, and nothing when its reader has had enough', () => {
    const cli = `'${process.execPath}' '${CLI}' kvs dir -R --store '${JOBS}' 2>&1`
    const script = `${cli} >/dev/full | cat; ${cli} | head -1`
    const [full, first] = run('sh', ['-c', script]).toString().trim().split('\n')
    expect(full).to.match(/^flux-ts kvs dir: cannot write standard output: No space left on device$/)
    expect(first).to.match(/^admin\.eventlog = /)
  })

  it('stops watching when it is interrupted, and tells the broker', async () => {
    await using broker = await live()
    const { child, ended } = startFluxTs(['kvs', 'get', '--watch', 'resource.R'], { FLUX_URI: broker.uri })
    while (broker.watches === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    child.kill('SIGINT')
    const { status, stderr } = await ended
    expect({ status, stderr }).to.deep.equal({ status: 130, stderr: 'flux-ts kvs get: interrupted by SIGINT\n' })
    expect(broker.requestsOf('kvs-watch.cancel')).to.have.length(1)
  })

  it('waits for a key that is not there yet with --waitcreate alone', async () => {
    await using broker = await live()
    await runInProcess(['kvs', 'get', '--waitcreate', 'resource.R'], { FLUX_URI: broker.uri })
    expect(Buffer.from(broker.requestsOf('kvs-watch.lookup')[0]?.payload as Uint8Array).toString()).to.contain(
      '"flags":8',
    )
  })

  it('says why a version will not be reached in the words of flux kvs', async () => {
    await using broker = await live({ errors: { 'kvs.wait-version': { errnum: 95 } } })
    const { status, stderr } = await runInProcess(['kvs', 'wait', '10'], { FLUX_URI: broker.uri })
    expect({ status, stderr: stderr.replace(/;.*/, '') }).to.deep.equal({
      status: 1,
      stderr: 'flux-ts kvs wait: flux_kvs_wait_version: Operation not supported\n',
    })
  })

  it('needs no content service of a live instance', async () => {
    const errors = { 'content.load': { errnum: 1, text: 'Request requires owner credentials' } }
    await using broker = await live({ errors })
    const { status, stdout } = await runInProcess(['kvs', 'ls'], { FLUX_URI: broker.uri })
    expect({ status, stdout: stdout.toString() }).to.deep.equal({
      status: 0,
      stdout: 'admin         checkpoint    job           resource\n',
    })
  })

  for (const [args, line] of [
    [['get', 'a', '--watch', '--store', JOBS], '--watch does not go with --store; a store on disk has no broker'],
    [['get', 'a', '-W', '--archive', 'x.tar'], '--waitcreate does not go with --archive; an archive has no broker'],
    [['get', 'a', '-w', '--checkpoint'], '--watch does not go with --checkpoint; a checkpoint does not change'],
    [['get', 'a', '-c1', '--root', rootref], '--count does not go with --root; a root does not change'],
    [['get', 'a', '-w', '-a', '{}'], '--at does not go with --watch; what it names does not change'],
    [['get', 'a', '-w', '--json'], null],
    [['get', 'a', '-a', 'x', '--store', JOBS], '--at x: not a dirref object; it looks like what kvs getroot prints'],
    [['wait', '1', '--store', JOBS], 'flux-ts kvs wait does not go with --store; a store on disk has no broker'],
    [
      ['namespace', 'list', '--archive', 'x'],
      'flux-ts kvs namespace list does not go with --archive; an archive has no broker',
    ],
    [['getroot', '-o', '--store', JOBS], '--owner does not go with --store; a store on disk has no broker'],
    [
      ['eventlog', 'get', '-u', '-H', 'x', '--store', JOBS],
      'Do not specify --unformatted with --human or --color=always',
    ],
    [
      ['eventlog', 'wait-event', 'x', 'y', '-t', 'soon'],
      "Invalid argument for option 'timeout': 'soon'; examples of durations: 10, 1.5m, 2h",
    ],
  ] as [string[], string | null][]) {
    it(`calls kvs ${args.join(' ').replaceAll(JOBS, 'PATH').replace(rootref, 'ROOT')} wrong usage`, async () => {
      const { status, stderr } = await runInProcess(['kvs', ...args], { FLUX_URI: 'local:///none' })
      expect(status).to.equal(2)
      const [first, usage] = stderr.split('\n')
      expect(first?.replace(/^flux-ts kvs .*?: /, '')).to.equal(line ?? '')
      if (line !== null) expect(usage).to.match(/^Usage: flux-ts kvs /)
    })
  }

  it('answers from a directory that is given', async () => {
    const { stdout } = await runInProcess([
      'kvs',
      'getroot',
      '--checkpoint-index',
      '1',
      '--store',
      fixture('checkpoints'),
    ])
    const at = stdout.toString().trim()
    const older = await json(['dir', '-R', '-a', at, '--store', fixture('checkpoints')])
    const same = await json(['dir', '-R', '--checkpoint-index', '1', '--store', fixture('checkpoints')])
    expect(older).to.deep.equal(same)
    expect(older).not.to.deep.equal(await json(['dir', '-R', '--store', fixture('checkpoints')]))
  })

  it('says of a directory what flux kvs get says, and how to look into it', async () => {
    await using broker = await live()
    for (const args of [
      ['--store', JOBS],
      ['--uri', broker.uri],
      ['--uri', broker.uri, '--stream'],
    ]) {
      const { status, stderr } = await runInProcess(['kvs', 'get', 'resource', ...args])
      expect(stderr).to.equal(
        'flux-ts kvs get: resource: Is a directory; kvs ls lists it, kvs dir shows what is in it\n',
      )
      expect(status).to.equal(1)
    }
  })

  it('takes --rootref for --root', async () => {
    const blobs = new Blobs()
    const roots = [blobs.tree({ a: val('new') }), blobs.tree({ a: val('old') })]
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, blobs, roots)
    for (const flag of ['--root', '--rootref']) {
      const { stdout } = await runInProcess(['kvs', 'get', 'a', flag, roots[1] as string, '--store', path])
      expect(stdout.toString()).to.equal('old\n')
    }
  })

  it('names keys in one form in JSON, wherever the dots were', async () => {
    const store = storeOf({ t: dir({ d: dir({ a: val('1'), 'x..y': val('2') }) }), v: val('3') })
    const keys = async (...args: string[]) =>
      ((await json([...args, '--store', store])).keys as { key: string }[]).map(({ key }) => key)
    expect(await keys('dir', '-R', '..t..d.')).to.deep.equal(['t.d.a', 't.d.x..y'])
    expect(await keys('ls', '-R', '.t.')).to.deep.equal(['t.d', 't.d.a', 't.d.x..y'])
    expect(await keys('ls', '.v')).to.deep.equal(['v'])
  })

  it('says in JSON what it says in words', async () => {
    await using broker = await live()
    const env = { FLUX_URI: broker.uri }
    const store = ['--store', storeOf({ a: dir({ v: val('é'), b: valref(Buffer.of(0xff)) }), l: symlink('a', 'ns') })]
    expect(await json(['get', 'a.v', 'a.b', ...store])).to.deep.equal({
      values: [
        { key: 'a.v', size: 2, value: 'é' },
        { key: 'a.b', size: 1, base64: '/w==' },
      ],
    })
    expect(await json(['get', '-t', 'l', ...store])).to.deep.equal({
      values: [{ key: 'l', treeobj: { data: { namespace: 'ns', target: 'a' }, type: 'symlink', ver: 1 } }],
    })
    expect(await json(['ls', ...store])).to.deep.equal({
      keys: [
        { key: 'a', type: 'dir' },
        { key: 'l', type: 'symlink', target: 'a', namespace: 'ns' },
      ],
    })
    expect(await json(['dir', '-R', ...store])).to.deep.equal({
      keys: [
        { key: 'a.b', type: 'value', size: 1, base64: '/w==' },
        { key: 'a.v', type: 'value', size: 2, value: 'é' },
        { key: 'l', type: 'symlink', target: 'a', namespace: 'ns' },
      ],
    })
    expect(await json(['readlink', 'l', ...store])).to.deep.equal({
      links: [{ key: 'l', target: 'a', namespace: 'ns' }],
    })
    expect(await json(['getroot'], env)).to.deep.equal({ rootref, sequence: 9, owner: 0 })
    expect(await json(['version'], env)).to.deep.equal({ sequence: 9 })
    expect(await json(['wait', '9'], env)).to.deep.equal({ sequence: 9, rootref })
    expect(await json(['namespace', 'list'], env)).to.deep.equal({
      namespaces: [{ namespace: 'primary', owner: 0, flags: 0 }],
    })
    const { events } = await json(['eventlog', 'get', 'resource.eventlog', '--store', JOBS])
    const [last] = (events as { name: string; timestamp: number }[]).slice(-1)
    expect(
      await json(['eventlog', 'wait-event', 'resource.eventlog', String(last?.name), '--store', JOBS]),
    ).to.deep.equal({
      key: 'resource.eventlog',
      event: last,
    })
    const { stdout, status } = await runInProcess(['kvs', 'get', 'nosuch', '--json', ...store])
    expect(status).to.equal(1)
    expect(JSON.parse(stdout.toString()).error).to.include({
      code: 'ENOENT',
      message: 'nosuch: No such file or directory',
    })
  })

  it('follows an eventlog as it grows, and ends at the event that is waited for', async () => {
    const blobs = new Blobs()
    const content = new Map<string, Uint8Array>()
    const event = (name: string) => `{"timestamp":1,"name":"${name}"}\n`
    const root = (...events: string[]) => {
      const rootref = blobs.tree({ log: valref(...events) })
      for (const [blobref, blob] of blobs) content.set(blobref.slice(5), blob)
      return rootref
    }
    const namespaces = { primary: { rootref: root(event('a')) } }
    await using broker = await BrokerDouble.start({ content, namespaces })
    const done = runInProcess(['kvs', 'eventlog', 'wait-event', '-v', 'log', 'c'], { FLUX_URI: broker.uri })
    while (broker.watches === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    // An event that comes in two parts.
    const [start, end] = [event('b').slice(0, 9), event('b').slice(9)]
    broker.commit('primary', root(event('a'), start))
    broker.commit('primary', root(event('a'), start, end, event('c')))
    expect(((await done).stdout ?? '').toString()).to.equal('1.000000 a\n1.000000 b\n1.000000 c\n')
  })

  it('does not wait for an event of what is no eventlog', async () => {
    const blobs = new Blobs()
    const namespaces = { primary: { rootref: blobs.tree({ text: val('foo') }) } }
    const content = new Map([...blobs].map(([blobref, blob]) => [blobref.slice(5), blob]))
    await using broker = await BrokerDouble.start({ content, namespaces })
    for (const args of [
      ['wait-event', 'text', 'c'],
      ['get', '--watch', 'text'],
    ]) {
      const { status, stderr } = await runInProcess(['kvs', 'eventlog', ...args], { FLUX_URI: broker.uri })
      expect(status).to.equal(1)
      expect(stderr).to.contain('cannot decode improperly formatted eventlog: no line ends in a newline')
    }
  })

  it('keeps control characters off a terminal, and in a pipe as they are', () => {
    const evil = '\x1b[2Jx'
    const store = storeOf({
      value: val(`a\tb\n${evil}\n`),
      link: symlink(evil),
      log: val(`{"timestamp":1,"name":"${'\\u001b'}[2Jx"}\n`),
    })
    for (const [args, shown, raw] of [
      [['get', 'value'], 'a\tb\n\\x1b[2Jx\n\n', `a\tb\n${evil}\n\n`],
      [['get', '--raw', 'value'], `a\tb\n${evil}\n`, `a\tb\n${evil}\n`],
      [['readlink', 'link'], '\\x1b[2Jx\n', `${evil}\n`],
      [['eventlog', 'get', '--color=never', 'log'], '1.000000 \\x1b[2Jx\n', `1.000000 ${evil}\n`],
    ] as [string[], string, string][]) {
      const command = [process.execPath, CLI, 'kvs', ...args, '--store', store].map((word) => `'${word}'`).join(' ')
      const onTerminal = run('script', ['-qec', `stty -onlcr tab0; ${command}`, '/dev/null']).toString()
      expect(onTerminal, args.join(' ')).to.equal(shown)
      expect(run('sh', ['-c', command]).toString(), args.join(' ')).to.equal(raw)
    }
  })

  it('names the key whose value cannot be decoded', async () => {
    const store = storeOf({ good: val('fine'), bad: raw('val', '?') })
    for (const [args, stdout] of [
      [['get', 'good', 'bad'], 'fine\n'],
      [['dir'], ''],
      [['eventlog', 'get', 'bad'], ''],
    ] as [string[], string][]) {
      const ran = await runInProcess(['kvs', ...args, '--store', store])
      expect(ran.status, args.join(' ')).to.equal(1)
      expect(ran.stdout.toString(), args.join(' ')).to.equal(stdout)
      expect(ran.stderr).to.match(/^flux-ts kvs [a-z ]+: bad: invalid value object: Invalid argument\n$/)
    }
  })

  it('says that the event of a snapshot will not come, and that a log is cut off', async () => {
    const store = ['--store', storeOf({ log: val('{"timestamp":1,"name":"a"}\n{"timest') })]
    const never = await runInProcess(['kvs', 'eventlog', 'wait-event', 'log', 'b', ...store])
    expect(never.stderr).to.equal("flux-ts kvs eventlog wait-event: event 'b' never received\n")
    expect(never.status).to.equal(1)
    const cut = await runInProcess(['kvs', 'eventlog', 'get', 'log', ...store])
    expect(cut.stdout.toString()).to.equal('1.000000 a\n')
    expect(cut.stderr).to.equal(
      'flux-ts kvs eventlog get: log: the last line is cut off after 8 characters; left out\n',
    )
    expect(cut.status).to.equal(0)
  })
})
