import { join } from 'node:path'
import { expect } from 'chai'
import { generateJobsStore } from '../../../bench/generate-jobs-store.ts'
import { openStore } from '../../../src/content/index.ts'
import { type Job, jobCounts, jobCountsLine, jobs } from '../../../src/inspect/index.ts'
import { scratch } from '../../support/fixtures.ts'

describe('inspect/job-counts', () => {
  it('counts jobs as flux jobs --stats does, all or those of some queues', async () => {
    const path = join(scratch(), 'content.sqlite')
    const { rootref } = await generateJobsStore(path, { jobs: 400, restored: true })
    await using store = await openStore(path)
    const all: Job[] = []
    for await (const batch of jobs({ store, rootref })) all.push(...batch)
    const count = (list: readonly Job[], ...states: string[]) => list.filter((job) => states.includes(job.state)).length
    for (const queues of [undefined, ['debug', 'gpu']]) {
      const some = all.filter(({ queue }) => queues === undefined || queues.includes(queue as string))
      const completed = some.filter(({ result }) => result === 'COMPLETED').length
      const expected = {
        pending: count(some, 'SCHED'),
        running: count(some, 'RUN'),
        completed,
        failed: count(some, 'INACTIVE') - completed,
        unknown: 0,
      }
      expect(expected.failed).to.be.greaterThan(0)
      expect(await jobCounts({ store, rootref }, { queues })).to.deep.equal(expected)
    }
    const error = await jobCounts({ store, rootref }, { queues: ['debug', 'none'] }).catch((error) => error)
    expect(error).to.deep.include({ code: 'ENOENT', message: 'none: no job in the snapshot is in this queue' })
  })

  it('tells of jobs in an unknown state only where there are any', () => {
    const counts = { pending: 1, running: 2, completed: 3, failed: 4, unknown: 0 }
    expect(jobCountsLine(counts)).to.equal('2 running, 3 completed, 4 failed, 1 pending')
    expect(jobCountsLine({ ...counts, unknown: 5 })).to.match(/, 1 pending, 5 unknown$/)
  })
})
