import { expect } from 'chai'
import { jobidArgument, jobKeys, UsageError } from '../../src/cli/index.ts'

describe('cli/selection', () => {
  it('takes a job id in every form for one key', () => {
    const id = jobidArgument('f2CCFUrT')
    const forms = ['f2CCFUrT', 'ƒ2CCFUrT', String(id), `0x${id.toString(16)}`]
    const keys = jobKeys(forms)
    expect(new Set(keys).size).to.equal(1)
    expect(keys[0]).to.match(/^job\.[0-9a-f]{4}(\.[0-9a-f]{4}){3}$/)
  })

  it('takes what is no job id for wrong usage, naming it', () => {
    expect(() => jobKeys(['f2CCFUrT', 'no id'])).to.throw(UsageError, 'no id')
  })
})
