import { expect } from 'chai'
import { parseWhen } from '../../src/cli/index.ts'
import { timeText } from '../../src/errors/index.ts'

describe('cli/when', () => {
  // A Wednesday.
  const now = Date.parse('2026-11-25T10:30:15Z') / 1000
  const at = (text: string, utc = false) => timeText(parseWhen(text, 'since', now, utc), { utc: true })
  const local = (text: string) => timeText(parseWhen(text, 'since', now))

  it('takes points in time, with a zone or in the local one', () => {
    expect(at('2026-11-24T18:30Z')).to.equal('2026-11-24T18:30:00Z')
    expect(at('2026-11-24 18:30:15+01:00')).to.equal('2026-11-24T17:30:15Z')
    expect(local('2026-11-24')).to.equal('2026-11-24T00:00:00')
    expect(local('2026-11-24T18:30')).to.equal('2026-11-24T18:30:00')
    expect(parseWhen('@1795458311.5', 'since', now)).to.equal(1795458311.5)
    expect(parseWhen('1795458311', 'since', now)).to.equal(1795458311)
  })

  it('takes what has no zone for UTC where that is wanted', () => {
    expect(at('2026-11-24T18:30', true)).to.equal('2026-11-24T18:30:00Z')
    expect(at('2026-11-24T18:30+01:00', true)).to.equal('2026-11-24T17:30:00Z')
  })

  // Where Flux takes the same text for another time, the test below says why.
  for (const [text, time] of [
    ['now', '2026-11-25T10:30:15Z'],
    ['-2h', '2026-11-25T08:30:15Z'],
    ['-90', '2026-11-25T10:28:45Z'],
    ['-1.5h', '2026-11-25T09:00:15Z'],
    ['+1h', '2026-11-25T11:30:15Z'],
    ['3 hours ago', '2026-11-25T07:30:15Z'],
    ['3h ago', '2026-11-25T07:30:15Z'],
    ['an hour ago', '2026-11-25T09:30:15Z'],
    ['two days ago', '2026-11-23T10:30:15Z'],
    ['2 weeks ago', '2026-11-11T10:30:15Z'],
    ['3 months ago', '2026-08-25T10:30:15Z'],
    ['1 year ago', '2025-11-25T10:30:15Z'],
    ['5 min ago', '2026-11-25T10:25:15Z'],
    ['1.5 hours ago', '2026-11-25T09:00:15Z'],
    ['today', '2026-11-25T00:00:00Z'],
    ['yesterday', '2026-11-24T00:00:00Z'],
    ['tomorrow', '2026-11-26T00:00:00Z'],
    ['last Monday', '2026-11-23T00:00:00Z'],
    ['last wednesday', '2026-11-18T00:00:00Z'],
    ['last friday', '2026-11-20T00:00:00Z'],
    ['last week', '2026-11-18T00:00:00Z'],
    ['last month', '2026-10-01T00:00:00Z'],
    ['last year', '2025-01-01T00:00:00Z'],
    ['2026-11-01 14:00', '2026-11-01T14:00:00Z'],
    ['2026-11-01 14:00:05', '2026-11-01T14:00:05Z'],
    ['2026-11-01 6am', '2026-11-01T06:00:00Z'],
    ['Oct 1 2025 14:00', '2025-10-01T14:00:00Z'],
    ['1 October 2025 14:00', '2025-10-01T14:00:00Z'],
    ['9:15:30', '2026-11-25T09:15:30Z'],
    ['2:30pm', '2026-11-25T14:30:00Z'],
    ['12am', '2026-11-25T00:00:00Z'],
    ['noon', '2026-11-25T12:00:00Z'],
    ['yesterday at 14:00', '2026-11-24T14:00:00Z'],
    ['yesterday noon', '2026-11-24T12:00:00Z'],
    ['last monday 6am', '2026-11-23T06:00:00Z'],
  ] as const) {
    it(`takes ${text} for what Flux takes it for`, () => {
      expect(at(text, true)).to.equal(time)
    })
  }

  // Flux adds the current time of day to a date, looks into the future for a day without a year, subtracts only the
  // first of several durations, and misreads ISO 8601.
  for (const [text, time] of [
    ['2026-11-01', '2026-11-01T00:00:00Z'],
    ['2026/11/01', '2026-11-01T00:00:00Z'],
    ['11/01/2026', '2026-11-01T00:00:00Z'],
    ['1/2/26', '2026-01-02T00:00:00Z'],
    ['October 1, 2025', '2025-10-01T00:00:00Z'],
    ['Wed Oct 1st 2025', '2025-10-01T00:00:00Z'],
    ['Oct 1 14:00', '2026-10-01T14:00:00Z'],
    ['6pm Oct 1', '2026-10-01T18:00:00Z'],
    ['Nov 25', '2026-11-25T00:00:00Z'],
    ['26 nov', '2025-11-26T00:00:00Z'],
    ['12/31', '2025-12-31T00:00:00Z'],
    ['Monday', '2026-11-23T00:00:00Z'],
    ['wed', '2026-11-25T00:00:00Z'],
    ['thursday 8:00', '2026-11-19T08:00:00Z'],
    ['1 hour 30 minutes ago', '2026-11-25T09:00:15Z'],
    ['1h30m ago', '2026-11-25T09:00:15Z'],
    ['2h', '2026-11-25T08:30:15Z'],
  ] as const) {
    it(`takes ${text} for a time that has been`, () => {
      expect(at(text, true)).to.equal(time)
    })
  }

  it('takes the last day of a month that is too short', () => {
    const march = Date.parse('2026-03-31T10:00:00Z') / 1000
    expect(timeText(parseWhen('1 month ago', 'since', march, true), { utc: true })).to.equal('2026-02-28T10:00:00Z')
  })

  it('refuses what is no time', () => {
    for (const text of [
      '',
      'soon',
      '2026-13-01',
      '2026-02-30',
      '24.11.2026',
      '-',
      '-inf',
      '-2x',
      'ago',
      'x hours ago',
      '3 moons ago',
      '25:00',
      '13pm',
      '12:60',
      'Octo 1',
      'Feb 30',
      'next monday',
      '2026-11-24 soon',
    ]) {
      expect(() => parseWhen(text, 'since', now), text).to.throw(/^--since .*: not a time$/)
    }
  })
})
