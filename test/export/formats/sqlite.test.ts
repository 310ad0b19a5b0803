import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { COLUMNS } from '../../../src/export/index.ts'
import { exportJobs, rows, tables } from '../../support/exports.ts'
import { scratch } from '../../support/fixtures.ts'
import { MIDNIGHT } from '../../support/job-trees.ts'
import { contents } from '../../support/stores.ts'

describe('export/formats/sqlite', () => {
  let path: string
  beforeEach(() => {
    path = join(scratch(), 'history.sqlite')
  })

  it('has a row for each job, event and node, and no file of others can read it', async () => {
    expect(
      await exportJobs(path, [
        { id: 3n, until: 'submit' },
        { id: 2n, nodelist: 'node[7-8],x', ranks: '1,4-5', status: 256 },
      ]),
    ).to.deep.equal({ added: 2, completed: 0, unchanged: 0 })
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    const [ran] = rows(path, 'SELECT * FROM jobs WHERE id = 2')
    expect(ran).to.include({
      cluster: '',
      jobid: 'ƒ3',
      userid: 5000,
      username: 'user5000',
      name: 'app',
      state: 'INACTIVE',
      result: 'FAILED',
      success: 0,
      returncode: 1,
      duration: 7200,
      nnodes: 3,
      ncores: 12,
      nodelist: 'node[7-8],x',
      t_submit: MIDNIGHT,
      t_alloc: MIDNIGHT + 10,
      t_free: MIDNIGHT + 3611,
      nevents: 9,
      R: null,
      problems: null,
    })
    expect(rows(path, 'SELECT rank, host, ncores, ngpus FROM job_nodes WHERE id = 2')).to.deep.equal([
      { rank: 1, host: 'node7', ncores: 4, ngpus: 0 },
      { rank: 4, host: 'node8', ncores: 4, ngpus: 0 },
      { rank: 5, host: 'x', ncores: 4, ngpus: 0 },
    ])
    expect(rows(path, 'SELECT n, timestamp, name, context FROM events WHERE id = 3')).to.deep.equal([
      { n: 0, timestamp: MIDNIGHT, name: 'submit', context: '{"userid":5000,"urgency":16,"flags":0,"version":1}' },
      { n: 1, timestamp: MIDNIGHT + 0.25, name: 'validate', context: null },
      { n: 2, timestamp: MIDNIGHT + 0.5, name: 'depend', context: null },
      { n: 3, timestamp: MIDNIGHT + 0.75, name: 'priority', context: '{"priority":16}' },
    ])
  })

  it('has a view of the jobs that ran, with the columns of flux-accounting', async () => {
    await exportJobs(path, [{ id: 1n }, { id: 2n, until: 'run' }, { id: 3n, system: { project: 'p', bank: 'b' } }], {
      whole: ['R', 'jobspec'],
    })
    const accounting =
      'id userid t_submit t_run t_inactive ranks R jobspec project bank requested_duration actual_duration'
    const [first, ...others] = rows(
      path,
      `SELECT ${accounting.replaceAll(' ', ', ')} FROM accounting_jobs ORDER BY id DESC`,
    )
    expect(first).to.include({ id: 3, project: 'p', bank: 'b', requested_duration: 7200, actual_duration: 3602 })
    expect(JSON.parse(first?.R as string)).to.have.property('execution')
    expect(others).to.have.length(1)
    expect(others[0]).to.include({ id: 1, project: '', bank: '' })
  })

  it('keeps ids of more than 53 bits, and of 64', async () => {
    const ids = [0x7fff_ffff_ffff_fff1n, 0xffff_ffff_ffff_fff1n, (1n << 53n) + 1n]
    const made = ids.map((id) => ({ id }))
    await exportJobs(path, made)
    expect(await exportJobs(path, made, { append: true })).to.deep.equal({ added: 0, completed: 0, unchanged: 3 })
    const text = rows(path, 'SELECT CAST(id AS TEXT) AS id FROM jobs ORDER BY jobs.id').map(({ id }) => id)
    expect(text).to.deep.equal(['-15', '9007199254740993', '9223372036854775793'])
  })

  it('leaves what is there alone without append', async () => {
    await exportJobs(path, [{ id: 1n }])
    const before = contents(join(path, '..'))
    const failure = await exportJobs(path, [{ id: 2n }]).catch((error) => error)
    expect(failure).to.include({ code: 'EEXIST', hint: 'add to it with --append, or remove it first' })
    expect(contents(join(path, '..'))).to.deep.equal(before)
  })

  it('adds columns that an older file lacks', async () => {
    await exportJobs(path, [{ id: 1n }])
    const db = new DatabaseSync(path)
    db.exec('DROP VIEW accounting_jobs; ALTER TABLE jobs DROP COLUMN ngpus; PRAGMA user_version = 0')
    db.close()
    await exportJobs(path, [{ id: 1n }, { id: 2n }], { append: true })
    expect(rows(path, 'SELECT id, ngpus FROM jobs ORDER BY id')).to.deep.equal([
      { id: 1, ngpus: null },
      { id: 2, ngpus: 0 },
    ])
    expect(rows(path, 'PRAGMA user_version')).to.deep.equal([{ user_version: 1 }])
    expect(rows(path, 'SELECT count(*) AS n FROM accounting_jobs')).to.deep.equal([{ n: 2 }])
  })

  for (const [what, change, message, hint] of [
    [
      'a newer version',
      'PRAGMA user_version = 2',
      'its tables have version 2, and this program knows 1',
      'use the newer flux-ts that has written it',
    ],
    [
      'another program',
      'PRAGMA application_id = 0',
      'not a database that jobs export has written',
      'give the export another name',
    ],
    ['a program that lost a table', 'DROP TABLE events', 'it has no table "events"', 'move it away, and export anew'],
  ] as const) {
    it(`refuses to add to a file of ${what}`, async () => {
      await exportJobs(path, [{ id: 1n }])
      const db = new DatabaseSync(path)
      db.exec(change)
      db.close()
      const before = contents(join(path, '..'))
      const failure = await exportJobs(path, [{ id: 2n }], { append: true }).catch((error) => error)
      expect(failure).to.include({ code: 'EINVAL', message: `${path}: ${message}`, hint })
      expect(contents(join(path, '..'))).to.deep.equal(before)
    })
  }

  it('refuses to add to a file that it may not write', async () => {
    await exportJobs(path, [{ id: 1n }])
    chmodSync(path, 0o444)
    chmodSync(dirname(path), 0o555)
    const isRoot = process.geteuid?.() === 0
    // Root may write anything.
    if (isRoot) process.seteuid?.(65_534)
    try {
      const failure = await exportJobs(path, [{ id: 2n }], { append: true }).catch((error) => error)
      expect(failure).to.include({
        code: 'EROFS',
        message: `${path}: SQLite wants to write, but may not`,
        hint: 'adding to it needs the right to write to it and to its directory',
      })
    } finally {
      if (isRoot) process.seteuid?.(0)
      chmodSync(dirname(path), 0o755)
    }
  })

  it('refuses a file that is no database, and one that another process writes to', async () => {
    writeFileSync(path, 'jobid,user\n'.repeat(100))
    const failure = await exportJobs(path, [{ id: 2n }], { append: true }).catch((error) => error)
    expect(failure).to.include({
      code: 'EINVAL',
      message: `${path}: not an SQLite database`,
      hint: 'move it away, and export anew',
    })
    const other = join(scratch(), 'busy.sqlite')
    await exportJobs(other, [{ id: 1n }])
    const before = tables(other)
    const db = new DatabaseSync(other)
    db.exec('BEGIN IMMEDIATE')
    const busy = await exportJobs(other, [{ id: 2n }], { append: true }).catch((error) => error)
    db.close()
    expect(busy).to.include({
      code: 'EBUSY',
      message: `${other}: held by another process`,
      hint: 'perhaps another export writes to it; try again later',
    })
    expect(tables(other)).to.deep.equal(before)
  })

  it('describes each column in the table itself', async () => {
    await exportJobs(path, [])
    const [{ sql }] = rows(path, "SELECT sql FROM sqlite_schema WHERE name = 'jobs'") as [{ sql: string }]
    for (const { name, description } of COLUMNS)
      expect(sql)
        .to.match(new RegExp(`"${name}" [A-Z ]+, -- `))
        .and.include(description)
  })
})
