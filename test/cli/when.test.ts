import { expect } from 'chai'
import { parseWhen } from '../../src/cli/index.ts'
import { timeText } from '../../src/errors/index.ts'

describe('cli/when', () => {
  const now = Date.parse('2026-11-25T10:00:00Z') / 1000
  const at = (text: string) => timeText(parseWhen(text, 'since', now), { utc: true })

  it('takes points in time, with a zone or in the local one', () => {
    expect(at('2026-11-24T18:30Z')).to.equal('2026-11-24T18:30:00Z')
    expect(at('2026-11-24 18:30:15+01:00')).to.equal('2026-11-24T17:30:15Z')
    expect(parseWhen('2026-11-24', 'since', now)).to.equal(new Date(2026, 10, 24).getTime() / 1000)
    expect(parseWhen('2026-11-24T18:30', 'since', now)).to.equal(new Date(2026, 10, 24, 18, 30).getTime() / 1000)
    expect(parseWhen('@1795458311.5', 'since', now)).to.equal(1795458311.5)
  })

  it('takes what has no zone for UTC where that is wanted', () => {
    const utc = (text: string) => timeText(parseWhen(text, 'since', now, true), { utc: true })
    expect(utc('2026-11-24T18:30')).to.equal('2026-11-24T18:30:00Z')
    expect(utc('2026-11-24T18:30+01:00')).to.equal('2026-11-24T17:30:00Z')
    expect(utc('today')).to.equal('2026-11-25T00:00:00Z')
    expect(utc('yesterday')).to.equal('2026-11-24T00:00:00Z')
  })

  it('takes a while ago, and days by their names', () => {
    expect(at('-2h')).to.equal('2026-11-25T08:00:00Z')
    expect(at('1.5d')).to.equal('2026-11-23T22:00:00Z')
    expect(at('now')).to.equal('2026-11-25T10:00:00Z')
    expect(parseWhen('today', 'since', now) - parseWhen('yesterday', 'since', now)).to.be.within(23 * 3600, 25 * 3600)
  })

  it('refuses what is no time', () => {
    for (const text of ['', 'soon', '2026-13-01', '24.11.2026', '-2', '2h ago']) {
      expect(() => parseWhen(text, 'since', now), text).to.throw(/^--since .*: not a time$/)
    }
  })
})
