/** Summaries of jobs, from records that a real instance of four brokers has written. */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import {
  type JobSummary,
  type JobSummaryRecords,
  jobSummary,
  jobSummaryJson,
  OUTPUT_RECORD,
} from '../../../src/inspect/index.ts'
import { outOfMemoryNote } from '../../../src/inspect/jobs/job-output.ts'
import { taskExits } from '../../../src/inspect/jobs/task-exit.ts'

/** The names of the hosts were changed to tell them apart: the instance ran on one machine. */
const RECORDED = JSON.parse(
  readFileSync(new URL('../../conformance/recorded/job-ends.json', import.meta.url), 'utf8'),
) as { case: string; records: JobSummaryRecords }[]

const nameOf = (userid: number) => (userid === 0 ? 'root' : undefined)

function recorded(name: string): JobSummaryRecords {
  const found = RECORDED.find((one) => one.case === name)
  if (!found) throw new Error(`no records of ${name}`)
  return found.records
}

function summaryOf(name: string, more: JobSummaryRecords = {}): JobSummary {
  return jobSummary(1n, { ...recorded(name), ...more }, nameOf)
}

/** What each job was, and what its summary says. */
const REASONS: readonly (readonly [name: string, reason: string])[] = [
  ['ok', 'exit code 0'],
  // Task 2 of 4 exits first.
  ['exit1', 'exit code 3: task rank 2 on n2'],
  ['allexit', 'exit code 5: task rank 0 on n0'],
  // Tasks 2 and 5 of 8 exit, with 3 and 7.
  ['two', 'exit code 7; the first to exit was task rank 2 on n1, with exit code 3'],
  ['segv', 'killed by SIGSEGV (signal 11): task rank 1 on n1'],
  ['kill', 'killed by SIGKILL (signal 9): task rank 0 on n0'],
  ['killed', 'killed by SIGTERM (signal 15): task rank 0 on n1'],
  // The task of the other node exits first, with 0.
  ['batch', 'exit code 4: task rank 0 on n0'],
  [
    'noexec',
    'exception exec (severity 0), raised by root: task 0 (host n0): start failed: /no/such/command: No such file or directory; exit code 127',
  ],
  [
    'exitto',
    'exception exec (severity 0), raised by root: sh: task rank 0 on host n0 exited (Exit 0) and exit-timeout=1s has expired',
  ],
  ['timeout', 'reached its time limit of 1 s: resource allocation expired'],
  ['cancelrun', 'canceled by root: because I say so'],
  ['cancelpend', 'canceled by root before it ran'],
  [
    'unsat',
    'never ran: exception alloc (severity 0), raised by root: unsatisfiable request: need 100 exclusive node(s), only 4 eligible',
  ],
  ['raised', 'exception oom (severity 0), raised by root: out of memory on node'],
  ['raised3', 'exit code 0; exception mytype (severity 3), raised by root: a warning'],
  ['held', 'never started: it was held (urgency 0)'],
  ['dep', 'never started: it waited for after-success=ƒ2fYaEPR'],
  ['lost', 'still running when the snapshot was taken'],
]

describe('inspect/job-summary', () => {
  for (const [name, reason] of REASONS) {
    it(`says of ${name}: ${reason}`, () => expect(summaryOf(name).end.reason).to.equal(reason))
  }

  it('says what a job is, and when and how long it waited and ran', () => {
    const { job, command, waitSeconds, runSeconds, end } = summaryOf('segv')
    expect(job).to.deep.include({ name: 'sh', nnodes: 4, ntasks: 4, nodelist: 'n[0-3]', ranks: '[0-3]' })
    expect(command?.slice(0, 2)).to.deep.equal(['sh', '-c'])
    expect(waitSeconds).to.be.closeTo((job.t_run ?? 0) - (job.t_submit ?? 0), 1e-6)
    expect(runSeconds).to.be.closeTo((job.t_cleanup ?? 0) - (job.t_run ?? 0), 1e-6)
    expect(end).to.deep.include({ exitCode: 139, signal: 'SIGSEGV', taskRank: 1, host: 'n1' })
    // It never started, so it waited to its end.
    expect(summaryOf('cancelpend').waitSeconds).to.be.closeTo(6.4, 0.1)
    expect(summaryOf('held').waitSeconds).to.equal(undefined)
  })

  it('says that memory ran out, if the shell said so', () => {
    expect(summaryOf('kill', { outOfMemory: 'Memory cgroup out of memory: killed 1 task on n0' }).end.reason).to.equal(
      'killed by SIGKILL (signal 9): task rank 0 on n0; Memory cgroup out of memory: killed 1 task on n0',
    )
  })

  it('says what is known when records are lost', () => {
    expect(summaryOf('segv', { execEventlog: undefined }).end.reason).to.equal('exit code 139 (128 + SIGSEGV)')
    expect(summaryOf('segv', { R: undefined }).end.reason).to.equal('killed by SIGSEGV (signal 11): task rank 1')
    expect(summaryOf('segv', { eventlog: undefined }).end.reason).to.equal('its eventlog is lost')
    expect(summaryOf('segv', { jobspec: 'not JSON' }).command).to.equal(undefined)
    expect(jobSummary(1n, {}).end.reason).to.equal('its eventlog is lost')
  })

  it('says which signal ended the shell itself, and what codes of shells mean', () => {
    const eventlog = (status: number) => recorded('kill').eventlog?.replace('"status":35072', `"status":${status}`)
    const reason = (status: number) => summaryOf('kill', { eventlog: eventlog(status), execEventlog: '' }).end.reason
    expect(reason(9)).to.equal('the job shell was killed by SIGKILL (signal 9)')
    expect(reason(127 << 8)).to.equal('exit code 127 (command not found)')
    expect(reason(126 << 8)).to.equal('exit code 126 (cannot be executed)')
    expect(reason(200 << 8)).to.equal('exit code 200')
  })

  it('is JSON with null for what is not known', () => {
    const json = jobSummaryJson(summaryOf('dep'), nameOf)
    expect(json).to.deep.include({ status: 'DEPEND', exitCode: null, started: null, username: 'root', exceptions: [] })
    expect(jobSummaryJson(summaryOf('cancelrun'), nameOf).exceptions).to.deep.equal([
      {
        timestamp: 1795765043.3782601,
        time: '2026-11-27T07:37:23Z',
        type: 'cancel',
        severity: 0,
        note: 'because I say so',
        userid: 0,
        username: 'root',
      },
    ])
  })
})

describe('inspect/task-exit', () => {
  const log = (...events: [name: string, context: object][]) =>
    events.map(([name, context]) => `${JSON.stringify({ timestamp: 1, name, context })}\n`).join('')

  it('finds the host of a task in a map of several blocks', () => {
    // Two nodes in turn, twice, with two tasks each time; then one task on the third.
    const taskmap = {
      version: 1,
      map: [
        [0, 2, 2, 2],
        [2, 1, 1, 1],
      ],
    }
    const hostOf = (rank: number) =>
      taskExits(log(['shell.start', { taskmap }], ['shell.task-exit', { rank, wait_status: 256 }]), 'a,b,c').first?.host
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(hostOf).map(String).join()).to.equal('a,a,b,b,a,a,b,b,c,undefined')
  })

  it('says which tasks the first node had', () => {
    const start: [string, object] = ['shell.start', { taskmap: { version: 1, map: [[0, 2, 3, 1]] } }]
    const { first, firstNode } = taskExits(log(start, ['shell-exit', { rank: 7, wait_status: 1024 }]), 'a,b')
    expect(first).to.equal(undefined)
    expect(firstNode).to.deep.equal({ exitCode: 4, signal: undefined, ranks: [0, 1, 2], host: 'a' })
  })

  it('takes no map that makes no sense', () => {
    for (const map of [
      5,
      [[0, -1, 1, 1]],
      [[0, 1e9, 1e9, 1]],
      [[0, 0, 0, 2 ** 53 - 1]],
      [[0, 2 ** 53 - 1, 0, 1]],
      ['x'],
    ]) {
      const { first } = taskExits(
        log(['shell.start', { taskmap: { map } }], ['shell.task-exit', { rank: 0, wait_status: 11 }]),
        'a,b',
      )
      expect(first).to.deep.equal({ exitCode: 139, signal: 11, ranks: [0], host: undefined })
    }
  })
})

describe(`inspect: what the shell says in ${OUTPUT_RECORD}`, () => {
  async function* chunks(text: string) {
    // In small pieces, so that lines are cut.
    for (let at = 0; at < text.length; at += 7) yield [Buffer.from(text.slice(at, at + 7))]
  }

  it('is searched for tasks that were killed because memory ran out', async () => {
    const event = (name: string, context: object) => `${JSON.stringify({ timestamp: 1, name, context })}\n`
    const said = 'Memory cgroup out of memory: killed 2 tasks on n3.'
    const data = event('data', { stream: 'stdout', rank: '0', data: 'out of memory\n' })
    const text = data + event('log', { rank: 3, level: 3, message: said })
    expect(await outOfMemoryNote(chunks(text))).to.equal(said.slice(0, -1))
    expect(await outOfMemoryNote(chunks(data))).to.equal(undefined)
  })
})
