import { expect } from 'chai'
import { statsComplaints } from '../../../src/cli/reports/stats-report.ts'

describe('cli/reports/stats-report', () => {
  it('says in plain words what is not counted: nothing, one thing, many', () => {
    const of = (unreadable: number, unreadableDirs: number) =>
      statsComplaints({ unreadable, unreadableDirs } as Parameters<typeof statsComplaints>[0])
    expect(of(0, 0)).to.deep.equal([])
    expect(of(1, 1)).to.deep.equal([
      '1 object could not be read, and is not counted',
      '1 directory could not be read: what only it leads to is counted as garbage',
    ])
    expect(of(1000, 2)).to.deep.equal([
      '1,000 objects could not be read, and are not counted',
      '2 directories could not be read: what only they lead to is counted as garbage',
    ])
  })
})
