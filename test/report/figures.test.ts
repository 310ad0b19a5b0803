/** Figures of a report as people read them. */
import { expect } from 'chai'
import { deltaChange } from '../../src/report/figures.ts'
import type { ReportDelta } from '../../src/report/report-data.ts'

describe('what has changed between two snapshots', () => {
  const change = (unit: ReportDelta['unit'], before: ReportDelta['before'], after: ReportDelta['after']) =>
    deltaChange({ label: 'figure', unit, before, after })

  it('has its sign and its unit', () => {
    expect(change('count', 301, 309)).to.equal('+8')
    expect(change('count', 3, 1)).to.equal('−2')
    expect(change('bytes', 5000, 1600)).to.equal('−3.4 kB')
    expect(change('time', 100, 165)).to.equal('+1 min 5 s')
    expect(change('ratio', 0.5, 0.25)).to.equal('−25 points')
    expect(change('hours', 2, 2)).to.equal('no change')
    expect(change('count', null, 2)).to.equal('')
  })

  it('is no change of zero where it is less than the smallest figure shown', () => {
    expect(change('hours', 2821, 2821.04)).to.equal('slightly more')
    expect(change('hours', 2821.04, 2821)).to.equal('slightly less')
    expect(change('seconds', 0.05, 0.0502)).to.equal('slightly more')
    expect(change('ratio', 0.5, 0.4999)).to.equal('slightly less')
  })
})
