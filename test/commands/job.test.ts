import { expect } from 'chai'
import { fixture } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'

const STORE = fixture('jobs')

describe('job get', () => {
  it('says which record a job does not have', async () => {
    const { stdout } = await runInProcess(['jobs', '--json', '-a', '--store', STORE])
    const [{ id }] = JSON.parse(stdout.toString()).jobs
    const args = ['job', 'get', '--store', STORE, '--record', 'nosuch', String(id)]
    expect((await runInProcess(args)).stderr).to.match(
      /^flux-ts job get: job(?:\.[0-9a-f]{4}){4}\.nosuch: No such file or directory\n$/,
    )
    const { status, stdout: json } = await runInProcess([...args, '--json'])
    expect(status).to.equal(1)
    expect(JSON.parse(json.toString()).error.message).to.match(/^ƒ\w+: no such record: nosuch$/)
  })
})
