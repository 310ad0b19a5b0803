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

  describe('--stats', () => {
    const run = (store: string, ...args: string[]) =>
      runInProcess(['jobs', '--store', store, '-n', '-o', '{name}', ...args])
    const storeOf = (jobs: Parameters<typeof writeJobsStore>[1]) => {
      const store = join(scratch(), 'content.sqlite')
      writeJobsStore(store, jobs)
      return store
    }

    it('counts all jobs before those that are listed; --stats-only lists none, and exits with 0 while jobs are active', async () => {
      const store = storeOf([
        { id: 5n, name: 'waits', until: 'submit' },
        { id: 6n, name: 'runs', until: 'run' },
        { id: 7n, name: 'ended' },
        { id: 8n, name: 'broke', status: 256 },
      ])
      const line = '1 running, 1 completed, 1 failed, 1 pending\n'
      const listed = await run(store, '--stats', '--filter=running')
      expect({ ...listed, stdout: listed.stdout.toString() }).to.deep.equal({
        status: 0,
        stdout: `${line}runs\n`,
        stderr: '',
      })
      const only = await run(store, '--stats-only')
      expect({ ...only, stdout: only.stdout.toString() }).to.deep.equal({ status: 0, stdout: line, stderr: '' })
    })

    it('exits with 1 when --stats-only finds no active job, as flux jobs does', async () => {
      const only = await run(storeOf([{ id: 7n, name: 'ended' }]), '--stats-only')
      expect({ ...only, stdout: only.stdout.toString() }).to.deep.equal({
        status: 1,
        stdout: '0 running, 1 completed, 0 failed, 0 pending\n',
        stderr: '',
      })
    })

    it('counts a job whose eventlog is lost as unknown; the listing reports it, and once', async () => {
      const store = storeOf([
        { id: 6n, name: 'runs', until: 'run' },
        { id: 7n, name: 'lost', lost: ['eventlog'] },
      ])
      const line = '1 running, 0 completed, 0 failed, 0 pending, 1 unknown\n'
      const listed = await run(store, '--stats', '-a')
      expect(listed.stdout.toString().startsWith(line)).to.equal(true)
      expect(listed).to.include({ status: 1, stderr: 'flux-ts jobs: ƒ8: eventlog: missing\n' })
      const only = await run(store, '--stats-only')
      expect({ ...only, stdout: only.stdout.toString() }).to.deep.equal({ status: 0, stdout: line, stderr: '' })
    })
  })
})
