import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { generateJobsStore } from '../../../bench/generate-jobs-store.ts'
import { type ContentStore, openStore } from '../../../src/content/index.ts'
import { type Job, type JobFilterOptions, jobFilter, jobs } from '../../../src/inspect/index.ts'
import { compareJobs } from '../../../src/inspect/jobs/job-order.ts'
import { Hostlist, Idset } from '../../../src/resource/index.ts'

describe('inspect/jobs/job-sieve', () => {
  let dir: string
  let path: string
  let rootref: string
  let all: Job[]

  const list = async (store: ContentStore, options: Parameters<typeof jobs>[1] = {}) => {
    const found: Job[] = []
    for await (const batch of jobs({ store, rootref }, options)) found.push(...batch)
    return found
  }

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'flux-ts-test-jobs-'))
    path = join(dir, 'content.sqlite')
    ;({ rootref } = await generateJobsStore(path, { jobs: 1500 }))
    await using store = await openStore(path)
    all = await list(store)
  })

  after(() => rmSync(dir, { recursive: true }))

  const middle = () => all[750]?.t_submit as number
  const FILTERS: Record<string, () => JobFilterOptions> = {
    nothing: () => ({}),
    'the users': () => ({ userids: [5000, 5003] }),
    since: () => ({ since: middle() }),
    before: () => ({ before: middle() }),
    'since and before': () => ({ since: middle() - 500_000, before: middle() }),
    'active states': () => ({ statuses: ['running', 'sched'] }),
    'a state and a result': () => ({ statuses: ['running', 'failed'] }),
    'old names of states': () => ({ states: ['active'] }),
    'a result since a time': () => ({ statuses: ['timeout'], since: middle() }),
    hosts: () => ({ hosts: Hostlist.parse('node[0100-0130]') as Hostlist }),
    ranks: () => ({ ranks: Idset.parse('3-10,700') as Idset }),
    'hosts of a user': () => ({ userids: [5001], hosts: Hostlist.parse('node[0000-0900]') as Hostlist }),
    'a queue before a time': () => ({ queues: ['debug'], before: middle() }),
    'a name': () => ({ name: 'sweep', userids: [5000, 5001, 5002] }),
  }

  for (const [name, filter] of Object.entries(FILTERS)) {
    it(`finds by ${name} what a look at each job finds`, async () => {
      await using store = await openStore(path)
      const expected = all.filter(jobFilter(filter()))
      expect(expected.length).to.be.greaterThan(0)
      expect(await list(store, { filter: filter() })).to.deep.equal(expected)
    })

    it(`takes the first ones by ${name} in the order of flux jobs`, async () => {
      await using store = await openStore(path)
      const expected = all.filter(jobFilter(filter())).sort(compareJobs)
      for (const count of [1, 40, 2000]) {
        expect(await list(store, { filter: filter(), count }), String(count)).to.deep.equal(expected.slice(0, count))
      }
    })
  }

  it('does not lose an old job that is still active', async () => {
    const [service] = all.filter(({ state }) => state === 'RUN').slice(-1)
    expect(service?.t_submit).to.be.lessThan(all[1400]?.t_submit as number)
    await using store = await openStore(path)
    const newest = Math.max(...all.map(({ t_inactive = 0 }) => t_inactive))
    expect((await list(store, { filter: { since: newest } })).map(({ id }) => id)).to.include(service?.id)
    expect((await list(store, { filter: { statuses: ['run'] } })).at(-1)?.id).to.equal(service?.id)
  })

  it('reads a small part of the store where few jobs are wanted', async () => {
    const bytes = async (options: Parameters<typeof jobs>[1]) => {
      await using store = await openStore(path)
      await list(store, options)
      return store.counts?.loaded as number
    }
    const whole = await bytes({})
    expect(await bytes({ filter: { statuses: ['running'] } })).to.be.lessThan(whole / 2)
    expect(await bytes({ count: 10 })).to.be.lessThan(whole / 2)
    expect(await bytes({ records: ['eventlog'] })).to.be.lessThan(whole - 2000)
  })

  it('tells only what the wanted records tell, and misses no other', async () => {
    await using store = await openStore(path)
    const found = await list(store, { records: ['eventlog'] })
    expect(found.map(({ id, state, result, t_run }) => ({ id, state, result, t_run }))).to.deep.equal(
      all.map(({ id, state, result, t_run }) => ({ id, state, result, t_run })),
    )
    expect(found.every(({ name, nnodes, problems }) => !name && !nnodes && problems.length === 0)).to.equal(true)
  })

  it('counts all jobs that it meets', async () => {
    await using store = await openStore(path)
    const met: number[] = []
    await list(store, { count: 1, onRead: (count) => met.push(count) })
    expect(met.at(-1)).to.equal(1500)
  })
})
