import { expect } from 'chai'
import { AdaptivePace } from '../../../src/content/broker/pace.ts'

/** An instance as a queue: what one request costs the way there and back, and what it costs where all stand in line. */
interface Instance {
  wayMs: number
  /** For a request when `inFlight` are. */
  serviceMs: (inFlight: number) => number
  /** How much the requests of others are in the line, in milliseconds of work. */
  othersMs?: (nowMs: number) => number
}

/** Let a pace drive requests through an instance, with a clock of its own. @returns the limit after each round trip */
function simulate(instance: Instance, forMs: number, pace = new AdaptivePace(), startMs = 0) {
  const { wayMs, serviceMs, othersMs = () => 0 } = instance
  let nowMs = startMs
  /** When the instance has done all it was asked. */
  let freeMs = startMs
  const due: { sentMs: number; atMs: number }[] = []
  const limits: number[] = []
  let responses = 0
  while (nowMs < startMs + forMs) {
    while (due.length < pace.limit) {
      freeMs = Math.max(freeMs, nowMs + wayMs / 2) + serviceMs(due.length + 1)
      due.push({ sentMs: nowMs, atMs: freeMs + othersMs(nowMs) + wayMs / 2 })
    }
    const { sentMs, atMs } = due.shift() as (typeof due)[0]
    nowMs = Math.max(nowMs, atMs)
    responses++
    pace.record(nowMs - sentMs, nowMs)
    limits.push(pace.limit)
  }
  return { limits, last: limits.slice(-Math.ceil(limits.length / 4)), responses, endMs: nowMs }
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length

describe('content/broker/pace', () => {
  it('starts small', () => {
    expect(new AdaptivePace().limit).to.equal(4)
  })

  it('grows until others would notice, where more in flight brings more through', () => {
    // Handling requests together is cheaper, without end.
    const { last, limits } = simulate({ wayMs: 0.3, serviceMs: (n) => 0.02 + 0.2 / n }, 4000)
    expect(mean(last)).to.be.greaterThan(100)
    // 5 ms of delay at 20 to 25 microseconds each.
    expect(limits.reduce((a, b) => Math.max(a, b))).to.be.lessThan(500)
    expect(mean(last)).to.be.lessThan(300)
  })

  it('stays near the least that fills the way, where more in flight brings nothing', () => {
    const { last } = simulate({ wayMs: 0.4, serviceMs: () => 0.05 }, 4000)
    // 8 are on the way while one is served; those beyond only wait.
    expect(mean(last)).to.be.within(8, 40)
  })

  it('fills a long way, as over ssh', () => {
    const instance = { wayMs: 40, serviceMs: () => 0.05 }
    const { last, responses } = simulate(instance, 20_000)
    expect(mean(last)).to.be.greaterThan(500)
    expect(responses).to.be.greaterThan(0.5 * (20_000 / 0.05 / 1))
  })

  it('gives way when others come, and takes up again when they have gone', () => {
    const quiet = { wayMs: 0.3, serviceMs: (n: number) => 0.02 + 0.2 / n }
    const pace = new AdaptivePace()
    const before = simulate(quiet, 2000, pace)
    const busy = simulate({ ...quiet, othersMs: () => 20 }, 2000, pace, before.endMs)
    const after = simulate(quiet, 4000, pace, busy.endMs)
    expect(mean(busy.last)).to.be.lessThan(mean(before.last) / 4)
    expect(mean(after.last)).to.be.greaterThan(mean(busy.last) * 8)
  })

  it('never stops, however busy the instance is', () => {
    const { limits } = simulate({ wayMs: 0.3, serviceMs: () => 0.05, othersMs: (now) => (now > 100 ? 500 : 0) }, 20_000)
    expect(limits.reduce((a, b) => Math.min(a, b))).to.equal(4)
  })

  it('does not come to take its own queue for the way', () => {
    const { last } = simulate({ wayMs: 0.3, serviceMs: (n) => 0.02 + 0.2 / n }, 300_000)
    expect(mean(last)).to.be.lessThan(500)
  })

  it('takes no notice of a pause now and then', () => {
    const instance = { wayMs: 0.3, serviceMs: (n: number) => 0.02 + 0.2 / n }
    let n = 0
    const pauses = { ...instance, othersMs: () => (++n % 5000 === 0 ? 30 : 0) }
    expect(mean(simulate(pauses, 4000).last)).to.be.greaterThan(mean(simulate(instance, 4000).last) / 3)
  })

  it('gets used to a way that has become longer', () => {
    const pace = new AdaptivePace()
    const near = simulate({ wayMs: 0.3, serviceMs: () => 0.02 }, 5000, pace)
    const far = simulate({ wayMs: 60, serviceMs: () => 0.02 }, 100_000, pace, near.endMs)
    expect(mean(far.last)).to.be.greaterThan(500)
  })

  it('behaves after a day as at its begin', () => {
    const pace = new AdaptivePace()
    const HOUR_MS = 3_600_000
    const idle = { wayMs: 400, serviceMs: () => 20 }
    const first = simulate(idle, HOUR_MS, pace)
    // For 22 hours, others come for a minute every two minutes.
    const busy = { ...idle, othersMs: (now: number) => (now % 120_000 < 60_000 ? 2000 : 0) }
    const day = simulate(busy, 22 * HOUR_MS, pace, first.endMs)
    expect(day.limits.length).to.be.greaterThan(100_000)
    expect(day.limits.every((limit) => Number.isInteger(limit) && limit >= 4 && limit <= 1024)).to.equal(true)
    const last = simulate(idle, HOUR_MS, pace, day.endMs)
    expect(mean(last.last)).to.be.within(mean(first.last) * 0.8, mean(first.last) * 1.25)
    expect(last.responses).to.be.within(first.responses * 0.9, first.responses * 1.1)
  })
})
