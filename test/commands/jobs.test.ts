/** The listing of jobs, as an administrator types it. */
import { join } from 'node:path'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { writeJobsStore } from '../support/job-trees.ts'

describe('jobs', () => {
  it('lists the other jobs when one that is asked for was purged', async () => {
    const store = join(scratch(), 'content.sqlite')
    writeJobsStore(store, [
      { id: 5n, name: 'five' },
      { id: 9n, name: 'nine' },
    ])
    const ran = await runInProcess(['jobs', '--store', store, '-n', '-o', '{name}', '9', '7', '5'])
    expect({ ...ran, stdout: ran.stdout.toString() }).to.deep.equal({
      status: 1,
      stdout: 'nine\nfive\n',
      stderr: 'flux-ts jobs: ƒ8 (job.0000.0000.0000.0007): no such job in the snapshot\n',
    })
    const json = await runInProcess(['jobs', '--store', store, '--json', '9', '7'])
    expect(json.status).to.equal(1)
    expect(JSON.parse(json.stdout.toString()).jobs.map((job: { name: string }) => job.name)).to.deep.equal(['nine'])
    const twice = await runInProcess(['jobs', '--store', store, '--json', '9', '9'])
    expect(JSON.parse(twice.stdout.toString())).to.have.property('jobs')
  })

  it('prints one job that is given by its id alone, as flux jobs does', async () => {
    const store = join(scratch(), 'content.sqlite')
    writeJobsStore(store, [{ id: 5n, name: 'five' }])
    const { status, stdout } = await runInProcess(['jobs', '--store', store, '--json', '5'])
    expect(status).to.equal(0)
    expect(JSON.parse(stdout.toString())).to.include({ id: 5, name: 'five' }).and.to.not.have.property('jobs')
    const missing = await runInProcess(['jobs', '--store', store, '--json', '7'])
    expect(missing.status).to.equal(1)
    expect(JSON.parse(missing.stdout.toString()).error).to.include({ code: 'ENOENT' })
  })
})
