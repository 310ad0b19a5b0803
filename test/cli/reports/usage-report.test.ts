import { expect } from 'chai'
import { Table } from '../../../src/cli/index.ts'
import { usageColumns, usageCsv, usageRows } from '../../../src/cli/reports/index.ts'
import { barText } from '../../../src/cli/reports/usage-report.ts'
import { type Job, JobUsage } from '../../../src/inspect/index.ts'
import { Idset } from '../../../src/resource/index.ts'
import { printed } from '../../support/in-process.ts'

function job(queue: string, hours: number, nnodes = 1): Job {
  return {
    id: 1n,
    state: 'INACTIVE',
    result: 'COMPLETED',
    queue,
    nnodes,
    ncores: nnodes * 4,
    ngpus: 0,
    allocation: [{ ranks: Idset.of([0]), ncores: 4, ngpus: 0 }],
    t_submit: 0,
    t_alloc: 90,
    t_run: 90,
    t_cleanup: 90 + hours * 3600,
    t_free: 90 + hours * 3600,
    t_inactive: 90 + hours * 3600,
    dependencies: [],
    problems: [],
  }
}

const FEW = [job('batch', 1000), job('batch', 2), job('de"bug', 501, 1), job('', 0.001)]

function report(jobs = FEW) {
  const usage = new JobUsage([['queue']])
  usage.addJobs(jobs)
  const [table] = usage.tables()
  return { table: table as NonNullable<typeof table>, total: usage.total }
}

async function shown(width: number, forPeople: boolean, jobs = FEW): Promise<string[]> {
  const { COLUMNS } = process.env
  const columns = Object.getOwnPropertyDescriptor(process.stdout, 'columns')
  process.env.COLUMNS = String(width)
  Object.defineProperty(process.stdout, 'columns', { value: width, configurable: true })
  try {
    const { table, total } = report(jobs)
    const text = await printed(async () => {
      const rows = usageRows(table, total)
      const printedTable = new Table(await usageColumns(table.by, rows, forPeople), forPeople)
      await printedTable.add(rows)
      await printedTable.end()
    }, forPeople)
    return text.trimEnd().split('\n')
  } finally {
    if (COLUMNS === undefined) delete process.env.COLUMNS
    else process.env.COLUMNS = COLUMNS
    if (columns) Object.defineProperty(process.stdout, 'columns', columns)
    else Reflect.deleteProperty(process.stdout, 'columns')
  }
}

describe('cli/reports/usage-report', () => {
  it('shows people rounded numbers, units, the total and bars', async () => {
    expect(await shown(120, true)).to.deep.equal([
      'QUEUE   JOBS  FAILED  NODE-H  CORE-H  GPU-H  WAIT  WAIT-95%    RUN  RUN-95%  RUN-SUM',
      'batch      2       0   1,002   4,008    0.0  1.5m      1.5m  20.9d    39.6d    41.8d  ████████████████████████',
      'de"bug     1       0     501   2,004    0.0  1.5m      1.5m  20.9d    20.9d    20.9d  ████████████',
      '-          1       0     0.0     0.0    0.0  1.5m      1.5m   3.6s     3.6s     3.6s',
      'total      4       0   1,503   6,012    0.0  1.5m      1.5m  10.5d    38.5d    62.6d',
    ])
  })

  it('leaves the bars out where there is no room for them', async () => {
    const lines = await shown(80, true)
    expect(lines.join('')).to.not.include('█')
    expect(lines).to.have.length(5)
    expect((await shown(92, true))[1]?.split('█')).to.have.length(7)
  })

  it('cuts long names for people, and keeps them whole for programs', async () => {
    const name = `a\n${'x'.repeat(100_000)}`
    expect((await shown(80, true, [job(name, 1)]))[1]?.split(' ')[0]).to.equal(`a\\n${'x'.repeat(36)}+`)
    expect((await shown(80, false, [job(name, 1)]))[0]?.split('\t')[0]).to.have.length(name.length + 1)
  })

  it('gives programs exact numbers, in hours and seconds, without titles or bars', async () => {
    expect(await shown(200, false)).to.deep.equal([
      'batch\t2\t0\t1002\t4008\t0\t90\t90\t1803600\t3420360\t3607200',
      'de"bug\t1\t0\t501\t2004\t0\t90\t90\t1803600\t1803600\t1803600',
      '-\t1\t0\t0.001\t0.004\t0\t90\t90\t3.6\t3.6\t3.6',
      'total\t4\t0\t1503.001\t6012.004\t0\t90\t90\t905400\t3330540\t5410803.6',
    ])
  })

  it('quotes what RFC 4180 says', () => {
    const { table, total } = report()
    const lines = [...usageCsv(table, total)]
    expect(lines).to.have.length(4)
    expect(lines[2]).to.match(/^"de""bug",1,0,0,0,501,.*\r\n$/)
    expect(lines[3]).to.match(/^,1,0,0,0,0\.001,/)
    expect([...usageCsv({ by: [], rows: [] }, total)][1]).to.match(/^4,0,0,0,1503\.001,/)
  })

  it('draws bars to an eighth of a column', () => {
    expect([1, 0.5, 1 / 16, 0.001].map((part) => barText(part, 4))).to.deep.equal(['████', '██', '▎', ''])
  })
})
