import { expect } from 'chai'
import { type ReportData, reportText } from '../../src/report/index.ts'
import { Names } from '../../src/report/names.ts'
import { jobEntries, reportOf } from '../support/report-trees.ts'
import { Blobs, dir, type Tree, val, valref } from '../support/trees.ts'

const KEY = Buffer.from('0123456789abcdef0123456789abcdef')

/** All names that are in the tree, and may be nowhere in a redacted report. */
const NAMES = ['alice', 'topsecret', 'lostjob', 'fluke', 'leaky', 'pump', 'private', 'mykey', 'secret', 'badkey']

function tree(): Record<string, Tree> {
  const log = (...events: object[]) => valref(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  const lost = (): Tree => ({ data: [`sha1-${'0'.repeat(40)}`], type: 'valref', ver: 1 })
  return {
    job: dir({
      ...jobEntries(1, { name: 'topsecret.sh', user: 4321, nodelist: 'fluke7', queue: 'batch', bank: 'physics' }),
      ...jobEntries(2, { name: 'lostjob', user: 4321, nodelist: 'fluke7' }),
      'private-notes': dir({ mykey: val('x'.repeat(100)) }),
    }),
    resource: dir({
      R: val(
        JSON.stringify({
          version: 1,
          execution: { R_lite: [{ rank: '0-19', children: { core: '0' } }], nodelist: ['fluke[0-19]'] },
        }),
      ),
      eventlog: log(
        { timestamp: 1_699_000_000, name: 'drain', context: { idset: '3', nodelist: 'fluke3', reason: 'leaky pump' } },
        { timestamp: 1_699_000_001, name: 'drain', context: { idset: 'fluke5', reason: 'leaky' } },
        { timestamp: 1_699_000_002, name: 'pump-stopped', context: { idset: '3', nodelist: 'fluke3' } },
      ),
    }),
    badkey: lost(),
    'secret-things': dir({ mykey: val('y'.repeat(200)) }),
  }
}

const users = { learn() {}, nameOf: (userid: number) => (userid === 4321 ? 'alice' : undefined) }

function report(options: { redact: boolean; redactKey?: Uint8Array }): Promise<ReportData> {
  return reportOf(new Blobs(), tree(), undefined, { users, ...options })
}

describe('report --redact', () => {
  it('leaves no name of a user, job, host or key anywhere, which are there otherwise', async () => {
    const whole = JSON.stringify(await report({ redact: false }))
    for (const name of NAMES) expect(whole).to.include(name)
    const data = await report({ redact: true })
    for (const text of [JSON.stringify(data), reportText(data).join('\n')]) {
      for (const name of [...NAMES, '4321']) expect(text).to.not.include(name)
      for (const kept of ['batch', 'physics']) expect(text).to.include(kept)
    }
    expect(data.redacted).to.equal(true)
  })

  it('leaves the figures as they are', async () => {
    const [plain, redacted] = [await report({ redact: false }), await report({ redact: true })]
    expect(redacted.work.total).to.deep.equal(plain.work.total)
    expect(redacted.room.bytes).to.equal(plain.room.bytes)
    expect(redacted.room.kinds).to.deep.equal(plain.room.kinds)
    expect(redacted.nodes.rows.map(({ ranks, spans }) => [ranks, spans.length])).to.deep.equal(
      plain.nodes.rows.map(({ ranks, spans }) => [ranks, spans.length]),
    )
    expect(redacted.warningCount).to.equal(plain.warningCount)
  })

  it('makes the same token of a name within a report, and with a key in all reports', async () => {
    const [first, second, other] = [
      await report({ redact: true, redactKey: KEY }),
      await report({ redact: true, redactKey: KEY }),
      await report({ redact: true }),
    ]
    const user = first.work.users[0]?.name
    expect(user).to.match(/^user-[0-9a-f]{8}$/)
    expect(first.work.longest.map((job) => job.user)).to.deep.equal([user, user])
    expect(second.work.users[0]?.name).to.equal(user)
    expect(other.work.users[0]?.name).to.not.equal(user)
  })

  it('keeps the parts of keys that Flux chooses', () => {
    const names = new Names(KEY)
    for (const key of ['job.0000.beef.c400.0000.guest.exec.eventlog', 'resource.R', 'checkpoint.job-manager', '.']) {
      expect(names.key(key)).to.equal(key)
    }
    expect(names.key('beef.J')).to.match(/^key-[0-9a-f]{8}\.J$/)
    expect(names.key('job.0000.beef.c400.0000.guest.beef')).to.match(/guest\.key-[0-9a-f]{8}$/)
  })

  it('keeps the namespaces of Flux and of jobs, and no other', () => {
    const names = new Names(KEY)
    expect([names.namespace('primary'), names.namespace('job-123')]).to.deep.equal(['primary', 'job-123'])
    for (const name of ['alice', 'job-alice']) expect(names.namespace(name)).to.match(/^namespace-[0-9a-f]{8}$/)
    expect(new Names().namespace('alice')).to.equal('alice')
  })

  it('cuts long names, and no character in two', () => {
    const names = new Names()
    expect(names.job('x'.repeat(1 << 20))).to.equal(`${'x'.repeat(199)}…`)
    expect(names.job('😀'.repeat(200)).isWellFormed()).to.equal(true)
  })
})
