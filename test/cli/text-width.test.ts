import { expect } from 'chai'
import { loadTextWidth, textWidth } from '../../src/cli/text-width.ts'

describe('the columns that a text takes', () => {
  before(() => loadTextWidth(['流']))

  it('are two for wide characters, none for marks that lie on others, and one for what our own bars are drawn with', () => {
    expect(textWidth('job')).to.equal(3)
    expect(textWidth('流れ')).to.equal(4)
    expect(textWidth('e\u0301')).to.equal(1)
    expect(textWidth('👩‍👩‍👧')).to.equal(2)
    expect(textWidth('██░░…')).to.equal(5)
  })
})
