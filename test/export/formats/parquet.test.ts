import { chmodSync, closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type FileMetaData, parquetMetadata } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { COLUMNS } from '../../../src/export/index.ts'
import { dayFiles, duckRows, exportJobs, parquetFiles } from '../../support/exports.ts'
import { scratch } from '../../support/fixtures.ts'
import { type JobMade, MIDNIGHT } from '../../support/job-trees.ts'

function metadata(path: string): FileMetaData {
  const bytes = readFileSync(path)
  return parquetMetadata(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer)
}

describe('export/formats/parquet', () => {
  let path: string
  beforeEach(() => {
    path = join(scratch(), 'jobs.parquet')
  })

  it('has times that are times, numbers that are numbers, and lists, to another implementation', async () => {
    await exportJobs(path, [{ id: 0xffff_ffff_ffff_fff1n, submit: MIDNIGHT + 0.123456 }])
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    const types = Object.fromEntries(
      (await duckRows(`DESCRIBE SELECT * FROM '${path}'`)).map((row) => [row.column_name, row.column_type]),
    )
    const wanted = {
      text: 'VARCHAR',
      integer: 'BIGINT',
      id: 'BIGINT',
      real: 'DOUBLE',
      boolean: 'BOOLEAN',
      time: 'TIMESTAMP WITH TIME ZONE',
      json: 'VARCHAR',
      list: 'VARCHAR[]',
    }
    expect(types).to.deep.equal({
      ...Object.fromEntries(COLUMNS.map(({ name, type }) => [name, wanted[type]])),
      hosts: 'VARCHAR[]',
      events: 'STRUCT("timestamp" TIMESTAMP WITH TIME ZONE, "name" VARCHAR, context VARCHAR)[]',
    })
    const sql = `SELECT id, t_submit, hosts, events[1].timestamp AS at, events[1].context->>'userid' AS userid FROM '${path}'`
    expect(await duckRows(sql)).to.deep.equal([
      {
        id: '-15',
        t_submit: '2026-11-20 00:00:00.123456+00',
        hosts: ['node1', 'node2'],
        at: '2026-11-20 00:00:00.123456+00',
        userid: '5000',
      },
    ])
  })

  it('holds no more than a row group, in rows and in characters', async () => {
    const large = { name: 'memo', context: { note: 'x'.repeat(1 << 20) } }
    const made: JobMade[] = Array.from({ length: 80 }, (_, i) => ({ id: BigInt(i + 1), events: [large] }))
    await exportJobs(path, made)
    const groups = metadata(path).row_groups.map(({ num_rows }) => Number(num_rows))
    // The note is in the annotations, too.
    expect(groups).to.deep.equal(Array(10).fill(8))
    expect(
      await duckRows(`SELECT count(*) AS n, CAST(sum(length(events[7].context)) AS VARCHAR) AS c FROM '${path}'`),
    ).to.deep.equal([{ n: '80', c: String(80 * ((1 << 20) + 11)) }])
  })

  it('holds no more than 8192 rows in a row group', async () => {
    const made: JobMade[] = Array.from({ length: 8193 }, (_, i) => ({ id: BigInt(i + 1), until: 'submit' }))
    await exportJobs(path, made)
    expect(metadata(path).row_groups.map(({ num_rows }) => Number(num_rows))).to.deep.equal([8192, 1])
  })

  it('can be empty', async () => {
    await exportJobs(path, [])
    expect(await duckRows(`SELECT count(*) AS n FROM '${path}'`)).to.deep.equal([{ n: '0' }])
  })

  it('puts each job into the file of the day of its submission, in UTC', async () => {
    const made = [MIDNIGHT - 0.5, MIDNIGHT, MIDNIGHT + 86399].map((submit, i) => ({ id: BigInt(i + 1), submit }))
    await exportJobs(path, [...made, { id: 9n, lost: ['eventlog'] }], { append: true, cluster: 'c-1' })
    expect(dayFiles(path)).to.deep.equal(['c-1-2026-11-19.parquet', 'c-1-2026-11-20.parquet', 'c-1-unknown.parquet'])
    for (const name of dayFiles(path)) expect(statSync(join(path, name)).mode & 0o777).to.equal(0o600)
    expect(statSync(path).mode & 0o777).to.equal(0o700)
    expect(await duckRows(`SELECT id FROM '${join(path, 'c-1-2026-11-20.parquet')}' ORDER BY id`)).to.deep.equal([
      { id: '2' },
      { id: '3' },
    ])
  })

  it('rewrites no file without news', async () => {
    const made: JobMade[] = [{ id: 1n }, { id: 2n, submit: MIDNIGHT + 86400, until: 'run' }]
    await exportJobs(path, made, { append: true })
    const inodes = () => dayFiles(path).map((name) => statSync(join(path, name)).ino)
    const before = inodes()
    await exportJobs(path, made, { append: true })
    expect(inodes()).to.deep.equal(before)
    await exportJobs(path, [{ id: 1n }, { id: 2n, submit: MIDNIGHT + 86400 }], { append: true })
    expect(inodes()[0]).to.equal(before[0])
    expect(inodes()[1]).not.to.equal(before[1])
  })

  it('keeps the permissions of a file that it writes again', async () => {
    await exportJobs(path, [{ id: 1n }], { append: true })
    const file = join(path, '2026-11-20.parquet')
    const before = statSync(file).ino
    chmodSync(file, 0o640)
    await exportJobs(path, [{ id: 2n }], { append: true })
    expect(statSync(file).ino).not.to.equal(before)
    expect(statSync(file).mode & 0o777).to.equal(0o640)
  })

  it('has jobs whose records tell times and numbers that no column can hold', async () => {
    const made: JobMade[] = [1e300, 1e12, 9e15, -5].map((submit, i) => ({ id: BigInt(i + 1), submit }))
    made.push({ id: 8n, userid: 1e300, events: [{ name: 'priority', context: { priority: 1e19 } }] })
    await exportJobs(path, made)
    const sql = `SELECT id, t_submit, userid, priority, len(events) AS n, events[1].timestamp AS at FROM '${path}' ORDER BY id`
    const found = await duckRows(sql)
    expect(found.map(({ t_submit }) => t_submit)).to.deep.equal([null, null, null, null, '2026-11-20 00:00:00+00'])
    expect(found[0]).to.include({ userid: '5000', n: '9', at: '9999-12-31 23:59:59+00' })
    expect(found[4]).to.include({ userid: null, priority: null })
    const days = join(path, '../days.parquet')
    await exportJobs(days, made, { append: true })
    expect(dayFiles(days)).to.deep.equal(['2026-11-20.parquet', 'unknown.parquet'])
    expect(await exportJobs(days, made, { append: true })).to.deep.equal({ added: 0, completed: 0, unchanged: 5 })
  })

  it('keeps all that a file has when it adds to it, to the last bit', async () => {
    const whole = ['jobspec', 'R', 'eventlog'] as const
    const made: JobMade[] = [
      { id: 1n, submit: MIDNIGHT + 0.123457, name: 'ü\u0000"', events: [{ name: 'memo', context: { a: [1, '2'] } }] },
      { id: 2n, until: 'submit', events: [{ name: 'dependency-add', context: { description: 'after:ƒ3' } }] },
    ]
    await exportJobs(path, made, { append: true, whole })
    const all = () => duckRows(`SELECT * FROM ${parquetFiles(path)} WHERE id < 3 ORDER BY id`)
    const before = await all()
    for (let id = 3n; id < 6n; id++) await exportJobs(path, [{ id }], { append: true })
    expect(await all()).to.deep.equal(before)
    expect(before[0]).to.include({ name: 'ü\u0000"' })
  })

  for (const [what, version, message, hint] of [
    ['a newer version', '2', 'written by a newer flux-ts', 'use the newer flux-ts that has written it'],
    ['another program', undefined, 'not written by jobs export', 'give the export another name'],
  ] as const) {
    it(`refuses to add to a file of ${what}`, async () => {
      await exportJobs(path, [], { append: true })
      const writer = new ByteWriter()
      const schema = [
        { name: 'schema', num_children: 1 },
        { name: 'id', type: 'INT64' as const },
      ]
      const kvMetadata = version === undefined ? [] : [{ key: 'flux-ts.schema', value: version }]
      const parquet = new ParquetWriter({ writer, schema, kvMetadata })
      parquet.write({ columnData: [{ name: 'id', data: [1n] }] })
      parquet.finish()
      const file = join(path, '2026-11-20.parquet')
      writeFileSync(file, writer.getBytes())
      const before = readFileSync(file)
      const failure = await exportJobs(path, [{ id: 1n }], { append: true }).catch((error) => error)
      expect(failure).to.include({ code: 'EINVAL', message: `${file}: ${message}`, hint })
      expect(readFileSync(file).equals(before)).to.equal(true)
    })
  }

  it('tells of a file that is damaged', async () => {
    await exportJobs(path, [{ id: 1n }], { append: true })
    const file = join(path, '2026-11-20.parquet')
    closeSync(openSync(file, 'w'))
    const failure = await exportJobs(path, [{ id: 2n }], { append: true }).catch((error) => error)
    expect(failure).to.include({
      message: `cannot read ${file}: not a Parquet file, or damaged`,
      hint: 'move it away, and export anew',
    })
    expect(statSync(file).size).to.equal(0)
  })
})
