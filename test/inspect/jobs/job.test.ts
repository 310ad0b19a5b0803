import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import {
  allocatedNodes,
  type Job,
  type JobRecords,
  jobFilter,
  jobJson,
  jobOf,
  jobReturncode,
} from '../../../src/inspect/index.ts'

/** Records of jobs of a real instance, as a dump of it had them, and what `flux jobs --json` said of each at that time. */
const RECORDED = JSON.parse(readFileSync(new URL('../../conformance/recorded/jobs.json', import.meta.url), 'utf8')) as {
  records: JobRecords
  said: Record<string, unknown>
}[]

function log(...events: [name: string, context?: object][]): string {
  return events.map(([name, context], i) => `${JSON.stringify({ timestamp: 100 + i, name, context })}\n`).join('')
}

const SUBMIT: [string, object] = ['submit', { userid: 42, urgency: 16, flags: 0, version: 1 }]
const JOBSPEC = JSON.stringify({
  resources: [{ type: 'slot', count: 3, with: [{ type: 'core', count: 2 }], label: 'task' }],
  tasks: [{ command: ['/bin/app', '-x'], slot: 'task', count: { per_slot: 1 } }],
  attributes: { system: { duration: 60, cwd: '/home' } },
  version: 1,
})
const R = JSON.stringify({
  version: 1,
  execution: { R_lite: [{ rank: '3,5-6', children: { core: '0-3' } }], nodelist: ['n[3,5-6]'], expiration: 99 },
})

describe('inspect/job', () => {
  for (const { records, said } of RECORDED) {
    it(`says of ${said.jobid} (${said.name}, ${said.status}) what flux jobs said`, () => {
      const told = JSON.parse(jobJson(jobOf(BigInt(said.id as number), records), 'root')) as Record<string, unknown>
      // What no snapshot knows, and a time that Flux tells by the clock on the wall.
      const { t_remaining: _, ...expected } = said
      if (said.state === 'RUN') delete expected.runtime
      if (said.state === 'SCHED') expected.annotations = {}
      if (JSON.stringify(said.dependencies).includes('begin@')) expected.dependencies = told.dependencies
      expect(told).to.deep.equal(expected)
    })
  }

  it('covers jobs in every state that lasts, and with every result', () => {
    const seen = RECORDED.map(({ said }) => said.status)
    expect(seen).to.include.members(['DEPEND', 'SCHED', 'RUN', 'COMPLETED', 'FAILED', 'CANCELED', 'TIMEOUT'])
  })

  it('writes an id that no double holds exactly', () => {
    const id = 2n ** 63n + 12345n
    expect(jobJson(jobOf(id, {}), undefined)).to.match(new RegExp(`^{"id":${id},.*"jobid":"ƒ`))
  })

  it('goes back to PRIORITY when what the priority hangs on has changed', () => {
    const job = jobOf(1n, {
      eventlog: log(SUBMIT, ['validate'], ['depend'], ['priority', { priority: 5 }], ['urgency', { urgency: 31 }]),
      jobspec: JOBSPEC,
    })
    expect(job).to.deep.include({ state: 'PRIORITY', urgency: 31, t_priority: 102, t_sched: 103, problems: [] })
    expect(job.priority).to.equal(undefined)
  })

  it('takes the jobspec and R as events have changed them', () => {
    const eventlog = log(
      SUBMIT,
      ['validate'],
      ['jobspec-update', { 'attributes.system.duration': 7, 'attributes.system.queue': 'debug', version: 2 }],
      ['depend'],
      ['priority', { priority: 16 }],
      ['alloc'],
      ['resource-update', { expiration: 1234 }],
    )
    const job = jobOf(1n, { eventlog, jobspec: JOBSPEC, R })
    expect(job).to.deep.include({ state: 'RUN', duration: 7, queue: 'debug', expiration: 1234, name: 'app' })
    expect(job).to.deep.include({ ntasks: 3, ncores: 12, nnodes: 3, ranks: '[3,5-6]', nodelist: 'n[3,5-6]' })
  })

  it('tells when the resources were held, and what of each node, but not to flux jobs --json', () => {
    const R_lite = [
      { rank: '4', children: { core: '0-3', gpu: '0,2' } },
      { rank: '1-2', children: { core: '0-1' } },
    ]
    const execution = { R_lite, nodelist: ['a[1-2]', 'b'], expiration: 0 }
    const events: [string, object?][] = [SUBMIT, ['validate'], ['depend'], ['priority', { priority: 1 }], ['alloc']]
    const ended = log(
      ...events,
      ['start'],
      ['finish', { status: 0 }],
      ['release', { ranks: '1', final: false }],
      ['free'],
    )
    const R = JSON.stringify({ version: 1, execution })
    const job = jobOf(1n, { eventlog: ended, jobspec: JOBSPEC, R })
    expect(job).to.deep.include({ t_alloc: 104, t_free: 108, nnodes: 3, ncores: 8, ngpus: 2 })
    expect(allocatedNodes(job)).to.deep.equal([
      { rank: 1, host: 'a1', ncores: 2, ngpus: 0 },
      { rank: 2, host: 'a2', ncores: 2, ngpus: 0 },
      { rank: 4, host: 'b', ncores: 4, ngpus: 2 },
    ])
    expect(JSON.parse(jobJson(job, 'me'))).to.not.have.any.keys('t_alloc', 't_free', 'ngpus', 'allocation')
    const held = jobOf(1n, { eventlog: log(...events), jobspec: JOBSPEC, R })
    expect(held.t_alloc).to.equal(104)
    expect(held.t_free).to.equal(undefined)
    const lost = log(...events, ['exception', { type: 'scheduler-restart', severity: 0, note: '' }], ['clean'])
    expect(jobOf(1n, { eventlog: lost, jobspec: JOBSPEC, R })).to.deep.include({ t_free: 105, t_inactive: 106 })
  })

  it('keeps the most severe exception, and the first end', () => {
    const job = jobOf(1n, {
      eventlog: log(
        SUBMIT,
        ['validate'],
        ['alloc'],
        ['exception', { type: 'note', severity: 5, note: '' }],
        ['exception', { type: 'timeout', severity: 0, note: 'late' }],
        ['exception', { type: 'cancel', severity: 0, note: 'later' }],
        ['finish', { status: 15 }],
        ['clean'],
      ),
      jobspec: JOBSPEC,
      R,
    })
    expect(job).to.deep.include({ result: 'TIMEOUT', success: false, t_cleanup: 104, waitstatus: 15 })
    expect(job.exception).to.deep.equal({ severity: 0, type: 'timeout', note: 'late' })
    expect(jobReturncode(job)).to.equal(-15)
  })

  it('merges memos, and takes members away that become null', () => {
    const eventlog = log(
      SUBMIT,
      ['alloc', { annotations: { sched: { resource_summary: 'r' } } }],
      ['memo', { a: { b: 1, c: 2 }, uri: 'ssh://x/y' }],
      ['memo', { a: { b: null }, d: 3 }],
      ['memo'],
    )
    const job = jobOf(1n, { eventlog, jobspec: JOBSPEC, R })
    expect(job.annotations).to.deep.equal({
      sched: { resource_summary: 'r' },
      user: { a: { c: 2 }, uri: 'ssh://x/y', d: 3 },
    })
    expect(JSON.parse(jobJson(job, 'me'))).to.deep.include({ uri: 'ssh://x/y' })
  })

  it('tells what is left of a damaged job, and what is wrong with it', () => {
    const told = ({ problems }: Job) => problems.map(({ message }) => message)
    const nothing = jobOf(1n, {})
    expect(nothing.state).to.equal('UNKNOWN')
    expect(told(nothing)).to.deep.equal(['jobspec: missing', 'eventlog: missing'])
    const altered = { record: 'eventlog', kind: 'altered', message: 'eventlog: altered' } as const
    expect(jobOf(1n, {}, [altered]).problems).to.deep.equal([
      altered,
      { record: 'jobspec', kind: 'missing', message: 'jobspec: missing' },
    ])
    const whole = log(SUBMIT, ['validate'], ['depend'], ['priority', { priority: 1 }], ['alloc'])
    const eventlog = `${whole.slice(0, whole.indexOf('\n'))}\ngarbage\n[1]\n{"timestamp":1,"na`
    const torn = jobOf(1n, { eventlog, jobspec: '[]', R: '{}' })
    expect(torn).to.deep.include({ userid: 42, state: 'NEW' })
    expect(told(torn)).to.deep.equal([
      'jobspec: no JSON object',
      'eventlog: line 2: not JSON',
      'eventlog: line 3: not an object',
      'eventlog: its last line is cut off',
    ])
    expect(told(jobOf(1n, { eventlog: whole, jobspec: JOBSPEC }))).to.deep.equal(['R: missing'])
    expect(told(jobOf(1n, { eventlog: whole, jobspec: JOBSPEC, R: '{}' }))).to.deep.equal([
      'R: no resource set of version 1',
    ])
  })

  it('finds in a jobspec what can be found, whatever else it holds', () => {
    for (const jobspec of ['{}', '{"tasks":1}', '{"tasks":[{"command":[]}],"resources":[1]}', '{"resources":{}}']) {
      const job = jobOf(1n, { eventlog: log(SUBMIT), jobspec })
      expect(job.name).to.equal(undefined)
      expect(job.ntasks).to.equal(undefined)
    }
  })
})

describe('inspect/job-filter', () => {
  const ids = (options: Parameters<typeof jobFilter>[0]) =>
    RECORDED.map(({ records, said }) => jobOf(BigInt(said.id as number), records)).filter(jobFilter(options))

  it('goes by state, by names for several, and by result', () => {
    expect(ids({ states: ['run'] }).every(({ state }) => state === 'RUN')).to.equal(true)
    expect(ids({ states: ['active'] })).to.have.length(ids({ states: ['pending', 'RUNNING'] }).length)
    expect(ids({ results: ['timeout', 'Canceled'] }).map(({ result }) => result)).to.have.members([
      'TIMEOUT',
      'CANCELED',
      'CANCELED',
    ])
  })

  it('takes a job without its eventlog for none of the states of Flux', () => {
    const lost = [
      jobOf(1n, { jobspec: JOBSPEC }),
      jobOf(2n, { eventlog: '', jobspec: JOBSPEC }),
      jobOf(3n, { eventlog: '?' }),
    ]
    const told = [jobOf(4n, { eventlog: log(SUBMIT), jobspec: JOBSPEC }), jobOf(5n, { eventlog: log(['clean']) })]
    const found = (...states: string[]) => [...lost, ...told].filter(jobFilter({ states })).map(({ id }) => Number(id))
    expect(found('unknown')).to.deep.equal([1, 2, 3])
    expect(found('active')).to.deep.equal([4])
    expect(found('inactive')).to.deep.equal([5])
    expect(found('pending', 'running')).to.deep.equal([])
    expect(JSON.parse(jobJson(lost[0] as Job, 'me'))).to.include({ state: 'UNKNOWN', status: 'UNKNOWN' })
  })

  it('goes by user, and does not hold against a job what it does not tell', () => {
    expect(ids({ userids: [1] })).to.have.length(0)
    expect(jobFilter({ userids: [1], since: 5, before: 5 })(jobOf(1n, {}))).to.equal(true)
  })

  it('goes by the time in which a job was there', () => {
    const all = ids({})
    const ended = all.find(({ state }) => state === 'INACTIVE')?.t_inactive as number
    expect(ids({ since: ended }).length).to.equal(all.filter(({ t_inactive = Infinity }) => t_inactive > ended).length)
    const last = Math.max(...all.map(({ t_submit }) => t_submit as number))
    expect(ids({ before: last })).to.have.length(all.length - 1)
  })
})
