import { expect } from 'chai'
import { PERIOD_UNITS } from '../../../../src/inspect/index.ts'
import { Calendar } from '../../../../src/inspect/jobs/usage/calendar.ts'
import { inTimeZone } from '../../../support/time-zone.ts'

/** The labels and lengths in hours of the periods from one time to another. */
function periods(unit: (typeof PERIOD_UNITS)[number], from: string, to: string, utc = false): [string, number][] {
  const calendar = new Calendar(unit, utc)
  const found: [string, number][] = []
  for (let at = Date.parse(from) / 1000; at < Date.parse(to) / 1000; ) {
    const { label, start, end } = calendar.at(at)
    expect(start).to.be.at.most(at)
    found.push([label, (end - start) / 3600])
    at = end
  }
  return found
}

describe('inspect/usage/calendar', () => {
  it('has a day of 23 and one of 25 hours, and weeks and months with them', () => {
    inTimeZone('Europe/Berlin', () => {
      expect(periods('day', '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z')).to.deep.equal([
        ['2026-03-28', 24],
        ['2026-03-29', 23],
        ['2026-03-30', 24],
      ])
      expect(periods('day', '2026-10-24T22:00:00Z', '2026-10-25T22:30:00Z')).to.deep.equal([['2026-10-25', 25]])
      expect(periods('week', '2026-10-25T12:00:00Z', '2026-10-26T12:00:00Z')).to.deep.equal([
        ['2026-10-19', 7 * 24 + 1],
        ['2026-10-26', 7 * 24],
      ])
      expect(periods('month', '2026-10-01T00:00:00Z', '2026-12-01T00:00:00Z')).to.deep.equal([
        ['2026-10', 31 * 24 + 1],
        ['2026-11', 30 * 24],
        ['2026-12', 31 * 24],
      ])
    })
  })

  it('tells the two hours apart that have one name, and has none for the hour that is left out', () => {
    inTimeZone('America/New_York', () => {
      expect(periods('hour', '2026-11-01T04:30:00Z', '2026-11-01T08:00:00Z').map(([label]) => label)).to.deep.equal([
        '2026-11-01T00:00',
        '2026-11-01T01:00-04:00',
        '2026-11-01T01:00-05:00',
        '2026-11-01T02:00',
      ])
      expect(periods('hour', '2026-03-08T06:00:00Z', '2026-03-08T08:00:00Z').map(([label]) => label)).to.deep.equal([
        '2026-03-08T01:00',
        '2026-03-08T03:00',
      ])
    })
  })

  it('begins a day later where the clocks change at midnight', () => {
    inTimeZone('Africa/Cairo', () => {
      const days = periods('day', '2026-04-22T22:00:00Z', '2026-04-25T12:00:00Z')
      expect(days).to.deep.equal([
        ['2026-04-23', 24],
        ['2026-04-24', 23],
        ['2026-04-25', 24],
      ])
    })
  })

  it('begins hours at the full hour of zones that are half an hour off', () => {
    inTimeZone('Asia/Kolkata', () => {
      expect(periods('hour', '2026-11-24T00:00:00Z', '2026-11-24T00:31:00Z').map(([label]) => label)).to.deep.equal([
        '2026-11-24T05:00',
        '2026-11-24T06:00',
      ])
    })
  })

  it('goes by UTC when it is asked', () => {
    inTimeZone('Asia/Tokyo', () => {
      expect(periods('day', '2026-11-24T20:00:00Z', '2026-11-24T21:00:00Z', true)).to.deep.equal([['2026-11-24', 24]])
      expect(periods('day', '2026-11-24T20:00:00Z', '2026-11-24T21:00:00Z')).to.deep.equal([['2026-11-25', 24]])
      expect(periods('hour', '2026-11-24T20:00:00Z', '2026-11-24T21:00:00Z', true)[0]?.[0]).to.equal(
        '2026-11-24T20:00Z',
      )
    })
  })

  it('always comes to an end, in every zone and unit', () => {
    for (const zone of ['Australia/Lord_Howe', 'America/Havana', 'Pacific/Apia', 'Asia/Beirut']) {
      inTimeZone(zone, () => {
        for (const unit of PERIOD_UNITS) {
          const calendar = new Calendar(unit)
          let at = Date.parse('2011-12-20T00:00:00Z') / 1000
          for (const end = at + 400 * 86_400; at < end; ) {
            const period = calendar.at(at)
            expect(period.end, `${zone} ${period.label}`).to.be.above(at)
            expect(period.start).to.be.at.most(at)
            at = period.end
          }
        }
      })
    }
  })
})
