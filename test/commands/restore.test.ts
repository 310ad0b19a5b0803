import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'

describe('restore', () => {
  it('says how many values it has skipped for their size', async () => {
    const store = join(scratch(), 'content.sqlite')
    const args = ['restore', '--size-limit', '100', '--store', store, fixture('jobs', 'dump.tgz')]
    const { status, stderr } = await runInProcess(args)
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/writing snapshot sha1-\w{8} to .+; \d+ skipped for their size/)
  })
})
