import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { exportJobs } from '../support/exports.ts'
import { scratch } from '../support/fixtures.ts'

const JOBS = [{ id: 1n << 24n }]

const failure = (work: Promise<unknown>) =>
  work.then(
    () => new Error('it was written'),
    (error) => error as Error,
  )

describe('a history that somebody has tampered with', () => {
  const tampered = async (sql: string) => {
    const path = join(scratch(), 'history.sqlite')
    await exportJobs(path, [])
    const db = new DatabaseSync(path)
    db.exec(sql)
    db.close()
    return failure(exportJobs(path, JOBS, { append: true }))
  }

  it('is refused with a trigger, which could drop jobs', async () => {
    const error = await tampered('CREATE TRIGGER eater AFTER INSERT ON jobs BEGIN DELETE FROM jobs; END')
    expect(error.message).to.match(/has a trigger, eater, and jobs export makes none$/)
  })

  it('is refused with a view in the place of a table', async () => {
    const error = await tampered('ALTER TABLE events RENAME TO hidden; CREATE VIEW events AS SELECT * FROM hidden')
    expect(error.message).to.match(/its "events" is a view, not a table$/)
    expect(error).to.include({ hint: 'move it away, and export anew' })
  })

  it('is no lock that leads elsewhere', async () => {
    const out = join(scratch(), 'history.parquet')
    const victim = join(scratch(), 'victim')
    mkdirSync(out)
    symlinkSync(victim, join(out, '.lock'))
    const error = await failure(exportJobs(out, JOBS, { append: true }))
    expect(error).to.have.property('code', 'ELOOP')
    expect(readdirSync(join(victim, '..'))).to.deep.equal([])
  })
})
