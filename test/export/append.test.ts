/** A history that is added to every night, while the instance purges what is old. */
import { join } from 'node:path'
import { expect } from 'chai'
import { dayFiles, duckRows, exportJobs, parquetFiles, rows, tables } from '../support/exports.ts'
import { scratch } from '../support/fixtures.ts'
import { type JobMade, MIDNIGHT } from '../support/job-trees.ts'

const DAY = 86400

/** What the instance has in a night: the jobs of the last three days, of which those of the last hour still run. */
function night(n: number): JobMade[] {
  const now = MIDNIGHT + n * DAY
  const jobs: JobMade[] = []
  for (let i = 0; i < n * 8; i++) {
    const submit = MIDNIGHT + i * (DAY / 8) + 1
    if (submit < now - 3 * DAY) continue
    const age = now - submit
    jobs.push({ id: BigInt(i + 1) << 24n, submit, until: age > DAY / 4 ? 'end' : age > DAY / 8 ? 'run' : 'submit' })
  }
  return jobs
}

/** Each kind of export that can be added to, with a way to ask it. */
const KINDS = [
  {
    name: 'sqlite',
    file: 'history.sqlite',
    ask: async (path: string, sql: string) => rows(path, sql.replace('TABLE', 'jobs')),
  },
  {
    name: 'parquet',
    file: 'history.parquet',
    ask: (path: string, sql: string) => duckRows(sql.replace('TABLE', parquetFiles(path))),
  },
]

for (const { name, file, ask } of KINDS) {
  describe(`export/append to ${name}`, () => {
    let path: string
    beforeEach(() => {
      path = join(scratch(), file)
    })
    const append = (jobs: readonly JobMade[], options: Parameters<typeof exportJobs>[2] = {}) =>
      exportJobs(path, jobs, { append: true, ...options })
    /** The cells of jobs, as text. */
    const select = async (columns: string, rest = 'ORDER BY id') => {
      const cells = columns.split(', ').map((column) => `CAST(${column} AS VARCHAR) AS "cell of ${column}"`)
      return (await ask(path, `SELECT ${cells} FROM TABLE ${rest}`)).map((row) => Object.values(row).join(' '))
    }

    it('loses and doubles nothing in ten nights, while jobs are purged', async () => {
      const counts = []
      for (let n = 1; n <= 10; n++) counts.push(await append(night(n)))
      expect(counts.map(({ added }) => added)).to.deep.equal(Array(10).fill(8))
      // In a night, two jobs of the night before have gone on, and three days but a job of them are there at most.
      expect(counts.map(({ completed }) => completed)).to.deep.equal([0, ...Array(9).fill(2)])
      expect(counts.map(({ unchanged }) => unchanged)).to.deep.equal([0, 6, 14, ...Array(7).fill(14)])
      const told = await select('id, state')
      const ids = Array.from({ length: 80 }, (_, i) => String(BigInt(i + 1) << 24n))
      expect(told.map((row) => row.split(' ')[0])).to.deep.equal(ids)
      expect(told.slice(0, 78).every((row) => row.endsWith('INACTIVE'))).to.equal(true)
      expect(told.slice(78).map((row) => row.split(' ')[1])).to.deep.equal(['RUN', 'SCHED'])
      if (name === 'sqlite') {
        expect(rows(path, 'SELECT count(*) AS n, count(DISTINCT id) AS ids FROM events')).to.deep.equal([
          { n: 78 * 9 + 6 + 4, ids: 80 },
        ])
        expect(rows(path, 'SELECT count(*) AS n FROM job_nodes')).to.deep.equal([{ n: 79 * 2 }])
      } else {
        expect(dayFiles(path)).to.have.length(10).and.include('2026-11-20.parquet')
        const lists = await ask(path, 'SELECT sum(len(events)) AS events, sum(len(hosts)) AS hosts FROM TABLE')
        expect(lists).to.deep.equal([{ events: String(78 * 9 + 6 + 4), hosts: String(79 * 2) }])
      }
    })

    it('is the same whatever the order of the snapshots', async () => {
      const other = join(scratch(), file)
      for (const n of [1, 2, 3]) await append(night(n))
      for (const n of [3, 1, 2, 3]) await exportJobs(other, night(n), { append: true })
      const columns = 'id, state, t_run, t_inactive, nevents, returncode'
      const forward = await select(columns)
      path = other
      expect(await select(columns)).to.deep.equal(forward)
    })

    it('never puts an inactive job back, nor an active one', async () => {
      await append([{ id: 1n }, { id: 2n, until: 'run' }])
      const counts = await append([
        { id: 1n, until: 'run' },
        { id: 2n, until: 'submit' },
      ])
      expect(counts).to.deep.equal({ added: 0, completed: 0, unchanged: 2 })
      expect(await select('state')).to.deep.equal(['INACTIVE', 'RUN'])
    })

    it('keeps what it knows when records are damaged later, and takes what is better known', async () => {
      await append([
        { id: 1n, until: 'run' },
        { id: 2n, until: 'run' },
        { id: 3n, lost: ['jobspec'] },
        { id: 4n, until: 'run' },
      ])
      const counts = await append([
        { id: 1n, lost: ['jobspec', 'R'] },
        { id: 2n, lost: ['eventlog'] },
        { id: 3n },
        { id: 4n, lost: ['jobspec'] },
      ])
      expect(counts).to.deep.equal({ added: 0, completed: 3, unchanged: 1 })
      expect(await select('id, state, name, nodelist', 'ORDER BY id')).to.deep.equal([
        '1 INACTIVE app node[1-2]',
        '2 RUN app node[1-2]',
        '3 INACTIVE app node[1-2]',
        '4 INACTIVE app node[1-2]',
      ])
      expect(await select('id', 'WHERE problems IS NOT NULL ORDER BY id')).to.deep.equal(['1', '4'])
    })

    it('has a job whose eventlog was lost once, and whose eventlog is found later, once', async () => {
      const lost = { id: 2n, lost: ['eventlog'] as const }
      expect(await append([{ id: 1n }, lost, { ...lost, id: 3n }])).to.deep.equal({
        added: 3,
        completed: 0,
        unchanged: 0,
      })
      expect(await append([{ id: 1n }, lost])).to.deep.equal({ added: 0, completed: 0, unchanged: 2 })
      expect(await select('id, state')).to.deep.equal(['1 INACTIVE', '2 UNKNOWN', '3 UNKNOWN'])
      await append([{ id: 2n }])
      expect(await select('id, state')).to.deep.equal(['1 INACTIVE', '2 INACTIVE', '3 UNKNOWN'])
      await append([lost])
      expect(await select('id, state')).to.deep.equal(['1 INACTIVE', '2 INACTIVE', '3 UNKNOWN'])
    })

    it('adds whole records to jobs that it has, and keeps them', async () => {
      await append([{ id: 1n }, { id: 2n, until: 'run' }])
      const wanted = { whole: ['jobspec', 'R', 'eventlog'] as const }
      expect(await append([{ id: 1n }, { id: 2n, until: 'run' }], wanted)).to.include({ completed: 2 })
      expect(await append([{ id: 1n }, { id: 2n, until: 'run' }], wanted)).to.include({ unchanged: 2 })
      expect(await append([{ id: 1n }, { id: 2n }])).to.include({ completed: 1, unchanged: 1 })
      const has = 'jobspec IS NOT NULL, R IS NOT NULL, eventlog IS NOT NULL'
      const yes = name === 'sqlite' ? '1' : 'true'
      const no = name === 'sqlite' ? '0' : 'false'
      // The eventlog of a job that was running does not fit one that has ended.
      expect(await select(has)).to.deep.equal([`${yes} ${yes} ${yes}`, `${yes} ${yes} ${no}`])
    })

    it('tells jobs of two instances apart by the names given', async () => {
      await append([{ id: 1n }], { cluster: 'one' })
      await append([{ id: 1n, submit: MIDNIGHT + 5, userid: 6 }], { cluster: 'two' })
      await append([{ id: 1n }, { id: 2n }], { cluster: 'one' })
      expect(await select('cluster, id, userid', 'ORDER BY cluster, id')).to.deep.equal([
        'one 1 5000',
        'one 2 5000',
        'two 1 6',
      ])
      const failure = await append([{ id: 3n }]).catch((error) => error)
      expect(failure).to.include({
        code: 'EINVAL',
        message: `${path}: it has the jobs of 2 clusters`,
        hint: 'choose one of them: --cluster one|two',
      })
    })

    it('takes the name that all its jobs have, and refuses one that they may lack', async () => {
      await append([{ id: 1n }], { cluster: 'one' })
      expect(await append([{ id: 1n }, { id: 2n }])).to.include({ added: 1, unchanged: 1 })
      expect(await select('cluster, id')).to.deep.equal(['one 1', 'one 2'])
      path = join(scratch(), file)
      await append([{ id: 1n }])
      const failure = await append([{ id: 1n }], { cluster: 'one' }).catch((error) => error)
      expect(failure).to.include({
        code: 'EINVAL',
        message: `${path}: it has jobs without the name of a cluster, so one could be theirs too`,
        hint: 'add without --cluster, or name them first, as docs/export.md tells',
      })
      expect(await select('cluster, id')).to.deep.equal([' 1'])
    })

    it('refuses another job of the same id, and changes nothing', async () => {
      await append([{ id: 1n, until: 'run' }])
      const failure = await append([{ id: 1n, userid: 6 }, { id: 2n }]).catch((error) => error)
      expect(failure).to.include({
        code: 'EEXIST',
        message: `${path}: its ƒ2 is another job than that of the snapshot`,
        hint: 'jobs of two instances in one file need names: --cluster NAME',
      })
      expect(await select('id, userid, state')).to.deep.equal(['1 5000 RUN'])
    })

    it('changes nothing when it is not committed', async () => {
      await append([{ id: 1n, until: 'run' }])
      const before = name === 'sqlite' ? tables(path) : await select('id, state')
      await append([{ id: 1n }], { usernameOf: () => assertNever() }).catch(() => {})
      expect(name === 'sqlite' ? tables(path) : await select('id, state')).to.deep.equal(before)
      expect(await append([{ id: 1n }])).to.include({ completed: 1 })
    })
  })
}

function assertNever(): never {
  throw new Error('the name of the user cannot be told')
}
