import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'

describe('content checkpoint update', () => {
  it('says that a root is in the newest checkpoint already', async () => {
    const store = join(scratch(), 'statedir')
    cpSync(fixture('jobs'), store, { recursive: true })
    const args = ['--store', store]
    const { stdout } = await runInProcess(['content', 'checkpoint', 'list', '--json', ...args])
    const [{ rootref }] = JSON.parse(stdout.toString()).checkpoints
    const { status, stderr } = await runInProcess(['content', 'checkpoint', 'update', ...args, rootref])
    expect({ status, stderr: stderr.replace(/ \S+: sha1/, ' STORE: sha1') }).to.deep.equal({
      status: 0,
      stderr: `flux-ts content checkpoint update: STORE: ${rootref} is the newest checkpoint already\n`,
    })
  })
})
