import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { COLUMNS, type ExportOptions } from '../../src/export/index.ts'
import { figuresJson, type Job, JobUsage, jobJson, jobs } from '../../src/inspect/index.ts'
import { resolveRoot } from '../../src/kvs/index.ts'
import { duckRows, exportJobs, exportSnapshot, rows } from '../support/exports.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { type JobMade, jobsSnapshot, MIDNIGHT } from '../support/job-trees.ts'

/** Records, fields and lines of RFC 4180. */
function parseCsv(text: string): string[][] {
  const records: string[][] = []
  for (const [, record] of text.matchAll(/((?:"(?:[^"]|"")*"|[^"\r\n])*)\r\n/g)) {
    const fields = [...`${record},`.matchAll(/("(?:[^"]|"")*"|[^",]*),/g)].map(([, field = '']) => field)
    records.push(fields.map((field) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field)))
  }
  return records
}

/** The columns that `jobs --json` has under another name, or not at all. */
const OURS = /^(?:cluster|exception_.*|t_alloc|t_free|ngpus|wait|.*_hours|nevents|jobspec|R|eventlog)$/

/** What `jobs --json` says of a job, by our columns. */
function wanted(object: Record<string, unknown>): Record<string, unknown> {
  const { exception, ...rest } = object as { exception: Record<string, unknown> }
  const { occurred, ...facts } = exception
  const named = Object.entries(facts).map(([name, value]) => [`exception_${name}`, value])
  return { ...rest, ...(occurred ? Object.fromEntries(named) : {}) }
}

const isEmpty = (value: unknown) =>
  value === undefined || value === null || value === '' || /^(?:\{\}|\[\])$/.test(JSON.stringify(value))

const MADE: JobMade[] = [
  { id: 1n, submit: MIDNIGHT + 0.123456 },
  { id: 2n, name: 'a "b", c\r\nd', status: 9 },
  { id: 3n, until: 'run', events: [{ name: 'memo', context: { uri: 'ssh://host/path', note: 'x' } }] },
  { id: 4n, until: 'submit', events: [{ name: 'dependency-add', context: { description: 'after:ƒ2,"x"' } }] },
  { id: 5n, events: [{ name: 'exception', context: { type: 'cancel', severity: 0, note: 'by ü' } }] },
  { id: 6n, lost: ['jobspec'] },
  { id: 7n, system: { queue: 'batch', project: 'p', bank: 'b' } },
]

describe('export/export', () => {
  it('refuses standard output where nothing prints, and a file that is there', async () => {
    const path = join(scratch(), 'x.csv')
    writeFileSync(path, 'other')
    const failure = (path: string, options: Partial<ExportOptions> = {}) =>
      exportJobs(path, MADE, options).catch((error) => error)
    expect(await failure('-', { format: 'csv' })).to.include({
      code: 'EINVAL',
      message: 'the export has no standard output',
    })
    expect(await failure(path)).to.include({
      code: 'EEXIST',
      message: `cannot write ${path}: File exists`,
      hint: 'remove it first, or choose another name',
    })
    const database = join(scratch(), 'x.sqlite')
    writeFileSync(database, 'other')
    expect(await failure(database)).to.include({ hint: 'add to it with --append, or remove it first' })
  })

  /** The cells of each job by column, as each format has them; an empty cell is left out. */
  const FORMATS: Record<string, (path: string) => Promise<Record<string, unknown>[]>> = {
    sqlite: async (path) =>
      rows(path, 'SELECT * FROM jobs ORDER BY id DESC').map((row) => ({
        ...row,
        ...(row.success === null ? {} : { success: row.success === 1 }),
        ...parsed(row, 'dependencies', 'annotations', 'problems'),
      })),
    csv: async (path) => {
      const [head = [], ...records] = parseCsv(readFileSync(path, 'utf8'))
      return records.map((record) => {
        const row = Object.fromEntries(record.map((cell, i) => [head[i], typed(head[i] as string, cell)]))
        return { ...row, ...parsed(row, 'dependencies', 'annotations', 'problems') }
      })
    },
    parquet: async (path) => {
      const found = await duckRows(`SELECT * REPLACE (${times('epoch_us')}) FROM '${path}' ORDER BY id DESC`)
      return found.map((row) => ({
        ...Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, fromDuck(name, cell)])),
        ...parsed(row, 'annotations'),
      }))
    },
  }

  for (const [format, read] of Object.entries(FORMATS)) {
    it(`says in ${format} of each job what jobs --json says`, async () => {
      await using store = await openStore(fixture('jobs', 'content.sqlite'))
      for (const snapshot of [await resolveRoot(store), jobsSnapshot(MADE)]) {
        const path = join(scratch(), `a.${format}`)
        await exportSnapshot(snapshot, { path })
        const objects: Record<string, unknown>[] = []
        for await (const batch of jobs(snapshot)) {
          objects.push(...batch.map((job) => wanted(JSON.parse(jobJson(job, `user${job.userid}`)))))
        }
        const found = await read(path)
        expect(found).to.have.length(objects.length)
        found.forEach((row, i) => {
          const object = objects[i] as Record<string, unknown>
          // A job whose eventlog has no userid has no user.
          if (object.userid === undefined) delete object.username
          const told = Object.entries(row).filter(([name, cell]) => !isEmpty(cell) && name in object)
          const said = Object.entries(object).filter(([, value]) => !isEmpty(value))
          const micro = (value: unknown) => (typeof value === 'number' ? Math.round(value * 1e6) : value)
          const sorted = (entries: [string, unknown][]) =>
            entries.map(([name, value]) => [name, micro(value)]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
          expect(sorted(told)).to.deep.equal(sorted(said))
          const others = Object.entries(row).filter(([name, cell]) => !isEmpty(cell) && !(name in object))
          for (const [name] of others) if (name !== 'hosts' && name !== 'events') expect(name).to.match(OURS)
        })
      }
    })
  }

  it('writes JSON lines as jobs --json, with whole records and the name of the cluster on request', async () => {
    const path = join(scratch(), 'a.ndjson')
    await exportJobs(path, MADE, { cluster: 'c1', whole: ['R', 'eventlog'] })
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    const objects: object[] = []
    for await (const batch of jobs(jobsSnapshot(MADE))) {
      objects.push(...batch.map((job) => JSON.parse(jobJson(job, `user${job.userid}`))))
    }
    const [seventh, ...others] = lines.map((line) => JSON.parse(line))
    const { R, eventlog, cluster, ...rest } = seventh
    expect(rest).to.deep.equal(objects[0])
    expect(R.execution.nodelist).to.deep.equal(['node[1-2]'])
    expect(eventlog.map(({ name }: { name: string }) => name))
      .to.have.length(9)
      .and.include('clean')
    expect(cluster).to.equal('c1')
    expect(others).to.have.length(6)
  })

  it('leaves out the environment unless it is asked for, and says nothing that cannot be read', async () => {
    const secret = { TOKEN: 'hunter2' }
    const made: JobMade[] = [
      {
        id: 1n,
        environment: secret,
        events: [
          {
            name: 'jobspec-update',
            context: { 'attributes.system.environment.TOKEN': 'hunter2', 'attributes.system.duration': 5 },
          },
        ],
      },
      {
        id: 2n,
        environment: secret,
        events: [{ name: 'jobspec-update', context: { 'attributes.system': { environment: secret, duration: 6 } } }],
      },
    ]
    for (const extension of ['sqlite', 'csv', 'ndjson']) {
      const path = join(scratch(), `a.${extension}`)
      const whole = ['jobspec', 'R', 'eventlog'] as const
      await exportJobs(path, made, { whole })
      expect(readFileSync(path, 'latin1')).not.to.include('hunter2')
      expect(statSync(path).mode & 0o777).to.equal(0o600)
      const other = join(scratch(), `b.${extension}`)
      await exportJobs(other, made, { whole, withEnvironment: true })
      expect(readFileSync(other, 'latin1')).to.include('hunter2')
    }
    const path = join(scratch(), 'c.sqlite')
    await exportJobs(path, made, { whole: ['jobspec'] })
    const [row] = rows(path, 'SELECT jobspec, duration FROM jobs WHERE id = 1')
    expect(row?.duration).to.equal(5)
    expect(JSON.parse(row?.jobspec as string).attributes.system).to.have.all.keys('duration', 'cwd', 'job')
  })

  it('has the sums that jobs stats prints', async () => {
    const path = join(scratch(), 'a.sqlite')
    const made: JobMade[] = [...MADE, { id: 8n, nodelist: 'n[1-9]', ranks: '0-8', status: 256 }]
    await exportJobs(path, made)
    const usage = new JobUsage([])
    const all: Job[] = []
    for await (const batch of jobs(jobsSnapshot(made))) all.push(...batch)
    usage.addJobs(all)
    usage.tables()
    const { jobCount, failedCount, nodeHours, coreHours, gpuHours, runtime } = figuresJson(usage.total) as {
      [name: string]: unknown
      runtime: { sum: number }
    }
    // A job that still runs counts to the last event.
    const held = (n: string, hours: string) =>
      `sum(coalesce(${hours}, CASE WHEN state <> 'INACTIVE' THEN ${n} * ((SELECT max(timestamp) FROM events) - t_alloc) / 3600 END))`
    const [sums] = rows(
      path,
      `SELECT count(*) AS jobCount, sum(result = 'FAILED') AS failedCount, sum(runtime) AS runtime,
        round(${held('nnodes', 'node_hours')}, 6) AS nodeHours, round(${held('ncores', 'core_hours')}, 6) AS coreHours,
        round(${held('ngpus', 'gpu_hours')}, 6) AS gpuHours FROM jobs`,
    )
    expect(sums).to.deep.equal({ jobCount, failedCount, nodeHours, coreHours, gpuHours, runtime: runtime.sum })
    expect(nodeHours).to.be.greaterThan(10)
  })

  it('has no name in two columns', () => {
    const names = COLUMNS.map(({ name }) => name.toLowerCase())
    expect(new Set(names).size).to.equal(names.length)
  })
})

/** The cells of some columns that hold JSON. */
function parsed(row: Record<string, unknown>, ...names: string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, row[name] ? JSON.parse(row[name] as string) : undefined]))
}

function typed(name: string, cell: string): unknown {
  const type = COLUMNS.find((column) => column.name === name)?.type
  if (cell === '') return undefined
  if (type === 'boolean') return cell === 'true'
  return type === 'integer' || type === 'real' || type === 'time' || type === 'id' ? Number(cell) : cell
}

function times(call: string): string {
  return COLUMNS.flatMap(({ name, type }) => (type === 'time' ? [`${call}(${name}) AS ${name}`] : [])).join(', ')
}

/** DuckDB gives whole numbers of 64 bits as text. */
function fromDuck(name: string, cell: unknown): unknown {
  const type = COLUMNS.find((column) => column.name === name)?.type
  if (cell === null) return undefined
  if (type === 'time') return Number(cell) / 1e6
  return type === 'integer' || type === 'id' ? Number(cell) : cell
}
