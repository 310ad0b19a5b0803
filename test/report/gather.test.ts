import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { resolveRoot } from '../../src/kvs/index.ts'
import { gatherReport, type ReportData, type ReportOptions } from '../../src/report/index.ts'
import { BrokerDouble } from '../support/broker-double.ts'
import { expected, fixture } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { jobEntries, reportOf } from '../support/report-trees.ts'
import { Blobs, dir, MemoryStore, symlink, type Tree, val, valref } from '../support/trees.ts'

const UTC = { TZ: 'UTC' }

/** What a command prints with `--json`. */
// biome-ignore lint/suspicious/noExplicitAny: each command prints another object
async function json(...args: string[]): Promise<any> {
  const { stdout, stderr } = await runInProcess([...args, '--json'], UTC)
  expect(stdout.length, stderr).to.be.above(0)
  return JSON.parse(stdout.toString())
}

async function ofStore(path: string, options: Partial<ReportOptions> = {}): Promise<ReportData> {
  await using store = await openStore(path)
  const snapshot = await resolveRoot(store)
  return await gatherReport(
    { snapshot, name: path, kind: 'sqlite', flags: `--store ${path}` },
    { tool: 'test', ...options },
  )
}

describe('report/gather', () => {
  describe('of a store that Flux wrote', () => {
    const store = fixture('jobs')
    let data: ReportData
    before(async () => {
      data = await json('report', store)
    })

    it('has the figures of jobs stats', async () => {
      const total = await json('jobs', 'stats', '--store', store)
      expect(data.work.total).to.deep.equal(total.total)
      for (const [by, rows] of [
        ['user', data.work.users],
        ['queue', data.work.queues],
        ['bank', data.work.banks],
        ['size', data.work.sizes],
      ] as const) {
        const { groups } = await json('jobs', 'stats', '--by', by, '--store', store)
        const named = groups.map(({ group, ...figures }: { group: Record<string, string> }) => ({
          name: group[by] ?? null,
          folded: 0,
          ...figures,
        }))
        expect(rows, by).to.deep.equal(named)
      }
    })

    it('has the figures of jobs stats by period and by node', async () => {
      const { groups } = await json('jobs', 'stats', '--by', data.work.unit, '--utc', '--store', store)
      const periods = data.work.periods.map(({ start, failed, canceled, timeout, completed, nodeHours }) => [
        start,
        failed + canceled + timeout + completed,
        failed,
        nodeHours,
      ])
      expect(periods).to.deep.equal(
        groups.map(({ timestamp, jobCount, failedCount, nodeHours }: Record<string, number>) => [
          timestamp,
          jobCount,
          failedCount,
          nodeHours,
        ]),
      )
      const [period] = data.work.periods
      expect(period?.utilisation).to.be.within(0.3, 1)
    })

    it('has the figures of fsck, content stats and du', async () => {
      const {
        checked: [root],
      } = await json('fsck', '--store', store)
      const { directories, values, symlinks, blobs, errors } = data.health.fsck
      expect([directories, values, symlinks, blobs, errors]).to.deep.equal([
        root.directoryCount,
        root.valueCount,
        root.symlinkCount,
        root.blobCount,
        root.errorCount,
      ])
      const stats = await json('content', 'stats', '--reachable', '--store', store)
      expect(data.health.content).to.include({
        objects: stats.objectCount,
        bytes: stats.objectBytes,
        storedBytes: stats.storedBytes,
        garbageObjects: stats.garbage.objectCount,
        garbageBytes: stats.garbage.objectBytes,
        garbageStoredBytes: stats.garbage.storedBytes,
        fileBytes: stats.fileBytes,
      })
      const { freePages, pageSize } = data.health.content ?? {}
      expect((freePages ?? 0) * (pageSize ?? 0)).to.equal(stats.freeBytes)
      const {
        directories: [usage],
      } = await json('du', '-d', '0', '--store', store)
      expect(data.room).to.include({
        bytes: usage.totalBytes,
        onceBytes: usage.onceBytes,
        valueBytes: usage.valueBytes,
        keys: usage.keyCount,
        dirs: usage.directoryCount,
      })
    })

    it('has the kinds of records of du --kinds', async () => {
      const { kinds, directories } = await json('du', '--kinds', '--store', store)
      expect(data.room.kinds).to.deep.equal(
        kinds.map(({ kind, recordCount: count, totalBytes: bytes }: Record<string, unknown>) => ({
          kind,
          count,
          bytes,
        })),
      )
      expect(directories).to.have.length(1)
      expect(directories[0].totalBytes).to.equal(data.room.bytes)
    })

    it('adds up to all bytes by kind, and holds all jobs by result and duration', () => {
      const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
      expect(sum(data.room.kinds.map(({ bytes }) => bytes))).to.equal(data.room.bytes)
      expect(data.room.kinds.find(({ kind }) => kind === 'jobspec')?.count).to.equal(40)
      expect(sum(data.work.results.map(({ count }) => count))).to.equal(data.work.total.jobCount)
      expect(sum(data.work.runtime.bins.map(({ count }) => count))).to.equal(40)
      expect(data.room.tree.bytes).to.equal(data.room.bytes)
      expect(data.room.tree.children.map(({ name }) => name)).to.include.members(['job', 'resource', 'admin'])
    })

    it('tells of starts, shutdowns, checkpoints, nodes and versions', () => {
      const kinds = data.events.list.map(({ kind }) => kind)
      expect(kinds).to.include.members(['start', 'shutdown', 'checkpoint', 'resources'])
      expect(data.snapshot).to.include({ nodeCount: 1, coreCount: 2, kind: 'sqlite', namespace: 'primary' })
      expect(data.snapshot.versions).to.deep.equal(['0.88.0-59-g4a5e79f56'])
      expect(data.nodes.quiet.count).to.equal(1)
      expect(data.health.checkpoints.map(({ errors }) => errors)).to.deep.equal([0, 0, 0])
      expect(data.warnings).to.deep.equal([])
    })

    it('is the same of the dump, but for what only the store has', async () => {
      const { status, stdout } = await runInProcess(['report', fixture('jobs', 'dump.tgz'), '--json'])
      expect(status).to.equal(0)
      const dump: ReportData = JSON.parse(stdout.toString())
      expect(dump.snapshot.kind).to.equal('archive')
      expect(dump.health.content).to.equal(null)
      expect(dump.work.total).to.deep.equal(data.work.total)
      expect(dump.room.valueBytes).to.equal(data.room.valueBytes)
    })

    it('is the same of a live instance', async () => {
      const { rootref, checkpoints } = expected('jobs')
      await using broker = await BrokerDouble.start({
        content: fixture('jobs', 'content.sqlite'),
        namespaces: { primary: { rootref } },
        checkpoints: checkpoints.map((checkpoint) => ({ version: 1, ...checkpoint })),
      })
      const { status, stdout, stderr } = await runInProcess(['report', broker.uri, '--json'])
      expect(status, stderr).to.equal(0)
      const live: ReportData = JSON.parse(stdout.toString())
      expect(live.snapshot.kind).to.equal('broker')
      expect(live.health.content).to.equal(null)
      expect(live.work.total).to.deep.equal(data.work.total)
      expect(live.room.bytes).to.equal(data.room.bytes)
      expect(live.health.fsck).to.deep.equal(data.health.fsck)
    })

    it('does not tell the namespaces that users made, with --redact', async () => {
      const { rootref } = expected('jobs')
      await using broker = await BrokerDouble.start({
        content: fixture('jobs', 'content.sqlite'),
        namespaces: { primary: { rootref }, alicespace: { rootref } },
      })
      const { stdout } = await runInProcess(['report', broker.uri, '--json', '--redact', '-N', 'alicespace'])
      const { snapshot }: ReportData = JSON.parse(stdout.toString())
      expect(snapshot.namespaces).to.have.lengthOf(2)
      expect(snapshot.namespaces.map(({ owner }) => owner)).to.deep.equal([null, null])
      expect(snapshot.namespaces.map(({ name }) => name))
        .to.include(snapshot.namespace)
        .and.include('primary')
      expect(stdout.toString()).to.not.include('alicespace')
    })
  })

  it('compares a snapshot with another', async () => {
    const data: ReportData = await json('report', '--store', fixture('checkpoints'), '@0', '--compare', '@2')
    const diff = await json('diff', '--stat', '--store', fixture('checkpoints'), '@2', '@0')
    expect(data.comparison?.keys).to.deep.equal({
      added: diff.addedCount,
      removed: diff.removedCount,
      changed: diff.changedCount,
      bytes: diff.byteDelta,
    })
    expect(diff.addedCount + diff.changedCount).to.be.above(0)
    const keys = data.comparison?.room.find(({ label }) => label === 'keys')
    expect(keys?.after).to.equal(data.room.keys)
    expect(data.comparison?.snapshot.rootref).to.not.equal(data.snapshot.rootref)
  })

  it('counts as garbage what no checkpoint refers to, also when it shows another root', async () => {
    const store = fixture('jobs')
    const rootref = 'sha1-e7c8edbbde7a0cbf56ea1ce5987e037e3d6efe82'
    const data: ReportData = await json('report', '--store', store, '--root', rootref)
    expect(data.snapshot.rootref).to.equal(rootref)
    const stats = await json('content', 'stats', '--reachable', '--store', store)
    expect(data.health.content?.garbageBytes).to.equal(stats.garbage.objectBytes)
  })

  it('tells the damage, and what is left', async () => {
    const data = await ofStore(fixture('damaged-dangling'))
    expect(data.health.fsck.errors, data.warnings.join('; ')).to.equal(3)
    expect(data.health.fsck.damaged.map(({ key }) => key)).to.deep.equal(['bad.dir', 'bad.half', 'bad.value'])
    expect(data.health.checkpoints[0]?.errors).to.equal(3)
    expect(data.health.findings[0]?.level).to.equal('bad')
    expect(data.room.keys).to.be.above(0)
    expect(data.warningCount).to.be.above(0)
    const stats = await json('content', 'stats', '--reachable', '--store', fixture('damaged-dangling'))
    expect(data.health.content?.garbageBytes).to.equal(stats.garbage.objectBytes)
  })

  it('has the other sections when one cannot be read', async () => {
    const blobs = new Blobs()
    const lost = (): Tree => ({ data: [`sha1-${'0'.repeat(40)}`], type: 'dirref', ver: 1 })
    const data = await reportOf(blobs, { job: lost(), resource: dir({ R: valref('no R') }), a: val('b') })
    expect(data.work.total.jobCount).to.equal(0)
    expect(data.warnings.join('\n')).to.include('job: could not load content')
    expect(data.warnings.join('\n')).to.include('resource.R: no resource set')
    expect(data.room.keys).to.equal(2)
    expect(data.health.fsck.errors).to.equal(1)
  })

  it('tells once that the root is damaged', async () => {
    const told: string[] = []
    const onWarning = (message: string) => void told.push(message)
    const lost: Tree = { data: [`sha1-${'0'.repeat(40)}`], type: 'dirref', ver: 1 }
    const { health, room, warnings, warningCount } = await reportOf(new Blobs(), lost, undefined, { onWarning })
    expect(health.fsck.errors).to.equal(1)
    expect(room.keys).to.equal(0)
    expect(told).to.have.length(1)
    expect(told[0]).to.match(/^\.: could not load content/)
    expect([warnings, warningCount]).to.deep.equal([told, 1])
  })

  it('of an instance without jobs or records has no figures', async () => {
    const data = await reportOf(new Blobs(), { a: val('b'), link: symlink('a') })
    expect(data.work.total.jobCount).to.equal(0)
    expect(data.work.periods).to.deep.equal([])
    expect(data.nodes)
      .to.include({ from: null })
      .and.to.deep.include({ rows: [], quiet: { count: 0, hosts: '' } })
    expect(data.snapshot.nodeCount).to.equal(null)
    expect(data.warnings).to.deep.equal([])
    expect(data.health.findings.map(({ text }) => text)).to.include('there is no checkpoint')
  })

  it('stays small, whatever names users choose', async () => {
    const hostile = `\u001b[31m<script>\u202e${'x'.repeat(1 << 20)}`
    const jobs = Array.from({ length: 60 }, (_, i) =>
      jobEntries(i, { name: hostile + i, user: 5000 + i, bank: `bank${i}` }),
    )
    const data = await reportOf(new Blobs(), { job: dir(Object.assign({}, ...jobs)) })
    expect(data.work.total.jobCount).to.equal(60)
    expect(JSON.stringify(data).length).to.be.below(200_000)
    expect(data.work.users).to.have.length(21)
    const { folded, jobCount } = data.work.users.at(-1) ?? {}
    expect([folded, jobCount]).to.deep.equal([40, 40])
    expect(data.work.longest[0]?.name?.length).to.equal(200)
    expect(data.work.mostFailed[0]).to.include({ failed: 60, jobs: 60 })
  })

  it('tells values that a restart of Flux would drop', async () => {
    const blobs = new Blobs()
    const part = 'x'.repeat(30 << 20)
    const data = await reportOf(blobs, { big: valref(part, part, part, part), small: valref(part) })
    expect(data.health.oversized).to.deep.equal({
      limit: 100 << 20,
      count: 1,
      keys: [{ key: 'big', bytes: 120 << 20 }],
    })
    expect(data.health.findings.map(({ text }) => text).join('\n')).to.include('1 value is larger than 100 MiB')
    expect(data.room.largest).to.deep.equal([
      { key: 'big', bytes: 120 << 20 },
      { key: 'small', bytes: 30 << 20 },
    ])
  })

  it('tells of drains, runs without a shutdown, and the part of the nodes that were held', async () => {
    const log = (...events: object[]) => valref(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    const hour = (n: number) => 1_700_000_400 + n * 3600
    const data = await reportOf(
      new Blobs(),
      {
        admin: dir({
          eventlog: log(
            { timestamp: hour(0), name: 'start', context: { version: 1, core_version: '0.80.0' } },
            { timestamp: hour(2), name: 'start', context: { version: 1, core_version: '0.81.0' } },
          ),
        }),
        resource: dir({
          R: val(resourceSet('0-3', 'n[0-3]')),
          eventlog: log(
            { timestamp: hour(0), name: 'resource-define', context: { method: 'configuration' } },
            { timestamp: hour(1), name: 'drain', context: { idset: '1-2', nodelist: 'n[1-2]', reason: 'disk' } },
            { timestamp: hour(3), name: 'undrain', context: { idset: '1', nodelist: 'n1' } },
          ),
        }),
        job: dir(
          jobEntries(1, { name: 'a', user: 1, alloc: hour(0), free: hour(2), ranks: '0-1', nodelist: 'n[0-1]' }),
        ),
      },
      hour(4),
    )
    expect(data.snapshot.versions).to.deep.equal(['0.80.0', '0.81.0'])
    expect(data.events.list.map(({ kind }) => kind)).to.deep.equal([
      'start',
      'resources',
      'drain',
      'crash',
      'start',
      'undrain',
    ])
    expect(data.nodes.rows).to.deep.equal([
      {
        hosts: 'n1',
        ranks: '1',
        count: 1,
        spans: [{ state: 'drained', from: hour(1), to: hour(3), reason: 'disk' }],
        nodeHours: 2,
      },
      {
        hosts: 'n2',
        ranks: '2',
        count: 1,
        spans: [{ state: 'drained', from: hour(1), to: null, reason: 'disk' }],
        nodeHours: 0,
      },
    ])
    expect(data.nodes.quiet).to.deep.equal({ count: 2, hosts: 'n[0,3]' })
    expect(data.work.periods.map(({ nodeHours }) => nodeHours).reduce((sum, part) => sum + part)).to.be.closeTo(4, 1e-5)
    expect(data.work.periods[1]?.utilisation).to.equal(0.5)
    const texts = data.health.findings.map(({ text }) => text)
    expect(texts).to.include('the instance ended 1 time without a shutdown')
    expect(texts).to.include('1 node is drained')
  })

  it('counts all events and nodes, also those that it does not list', async () => {
    const events = (count: number, of: (n: number) => object) =>
      valref(Array.from({ length: count }, (_, n) => `${JSON.stringify(of(n))}\n`).join(''))
    const root = {
      admin: dir({ eventlog: events(3, (n) => ({ timestamp: 1000 + n, name: 'start', context: { version: 1 } })) }),
      resource: dir({
        R: val(resourceSet('0-599', 'n[0-599]')),
        eventlog: events(601, (n) => {
          const [name, rank] = n < 600 ? ['drain', n] : ['undrain', 7]
          return { timestamp: 2000 + n, name, context: { idset: `${rank}`, nodelist: `n${rank}` } }
        }),
      }),
    }
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const rootref = blobs.tree(root)
    const old = { store, rootref, hash: store.hash, sequence: 1, timestamp: 5000, checkpointIndex: 0 }
    const compare = { snapshot: { ...old, namespace: undefined }, name: 'old', kind: 'sqlite', flags: '' }
    const { health, events: listed, comparison } = await reportOf(blobs, root, 5000, { compare })
    expect(listed.list.map(({ kind }) => kind)).to.not.include('crash')
    const texts = health.findings.map(({ text }) => text)
    expect(texts).to.include('the instance ended 2 times without a shutdown').and.include('599 nodes are drained')
    const before = Object.fromEntries(
      [...(comparison?.nodes ?? []), ...(comparison?.events ?? [])].map((row) => [row.label, row.before]),
    )
    expect(before).to.include({ 'drained nodes': 599, crash: 2, drain: 600, undrain: 1 })
  })

  it('cuts the ranks of many scattered nodes after a whole range, and counts all', async () => {
    const ranks = Array.from({ length: 1000 }, (_, n) => 2 * n)
    const drain = { timestamp: 2000, name: 'drain', context: { idset: ranks.join(',') } }
    const { nodes } = await reportOf(new Blobs(), { resource: dir({ eventlog: valref(`${JSON.stringify(drain)}\n`) }) })
    const [row] = nodes.rows
    expect(row?.count).to.equal(1000)
    const shown = row?.ranks.split(',') ?? []
    expect(shown.pop()).to.equal('…')
    expect(shown.map(Number)).to.deep.equal(ranks.slice(0, shown.length))
    expect(row?.ranks.length).to.be.within(1900, 2000)
  })

  it('counts each job in the durations, also one with a time that cannot be', async () => {
    const job = { name: 'a', user: 1, alloc: 1_700_000_000 }
    const data = await reportOf(new Blobs(), {
      job: dir({ ...jobEntries(1, job), ...jobEntries(2, { ...job, free: 1e12 }) }),
    })
    expect(data.work.runtime.bins.reduce((sum, { count }) => sum + count, 0)).to.equal(2)
  })

  it('takes the whole of a period in which jobs ran before the records of the instance begin', async () => {
    const begin = 1_700_006_400
    const hour = (n: number) => begin + n * 3600
    const data = await reportOf(
      new Blobs(),
      {
        resource: dir({
          R: val(resourceSet('0-3', 'n[0-3]')),
          eventlog: valref(`${JSON.stringify({ timestamp: hour(6), name: 'resource-define', context: {} })}\n`),
        }),
        job: dir(jobEntries(1, { name: 'a', user: 1, alloc: hour(0), free: hour(2), ranks: '0-1' })),
      },
      hour(8),
    )
    expect(data.work.periods.slice(0, 2).map(({ utilisation }) => utilisation)).to.deep.equal([0.5, 0.5])
  })
})

function resourceSet(rank: string, nodelist: string): string {
  const R_lite = [{ rank, children: { core: '0-3' } }]
  return JSON.stringify({ version: 1, execution: { R_lite, starttime: 0, expiration: 0, nodelist: [nodelist] } })
}
