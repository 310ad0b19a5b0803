import { expect } from 'chai'
import { fixture } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'

const STORE = fixture('jobs')

describe('kvs eventlog wait-event', () => {
  it('says which eventlog is not there, in the words of the C tool', async () => {
    const { status, stderr } = await runInProcess(['kvs', 'eventlog', 'wait-event', '--store', STORE, 'no.such', 'x'])
    expect({ status, stderr }).to.deep.equal({
      status: 1,
      stderr: 'flux-ts kvs eventlog wait-event: eventlog path no.such not found\n',
    })
  })
})
