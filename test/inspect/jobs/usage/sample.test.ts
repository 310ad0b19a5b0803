import { expect } from 'chai'
import { Sample, SampleBudget } from '../../../../src/inspect/index.ts'

function sampleOf(values: Iterable<number>, budget?: SampleBudget): Sample {
  const sample = new Sample(budget)
  for (const value of values) sample.add(value)
  return sample
}

describe('inspect/usage/sample', () => {
  it('tells medians and percentiles as quantile_cont and numpy do', () => {
    const sample = sampleOf([15, 20, 50, 35, 40])
    expect([0, 0.25, 0.5, 0.95, 1].map((part) => sample.quantile(part))).to.deep.equal([15, 20, 35, 48, 50])
    expect(sampleOf([4, 1, 3, 2]).quantile(0.5)).to.equal(2.5)
    expect(sampleOf([7]).quantile(0.95)).to.equal(7)
    expect(new Sample().quantile(0.5)).to.equal(undefined)
  })

  it('counts the values between bounds', () => {
    expect(sampleOf([0, 1, 1, 5, 9, 10, 99]).countsBetween([0, 1, 10, 50])).to.deep.equal([1, 4, 1])
    expect(new Sample().countsBetween([0, 1, 10])).to.deep.equal([0, 0])
    const values = Array.from({ length: 20_000 }, (_, i) => i)
    const rough = sampleOf(values, new SampleBudget(2000))
    expect(rough.isExact).to.equal(false)
    const [first = 0, second = 0] = rough.countsBetween([0, 10_000, 1e9])
    expect(first).to.be.closeTo(10_000, 200)
    expect(first + second).to.equal(20_000)
  })

  it('holds no copies of what it has outgrown, and releases its values at once', () => {
    const bytes = () => process.memoryUsage().arrayBuffers
    const before = bytes()
    // 2^20 values of 8 bytes; the outgrown arrays would be as much again.
    const sample = sampleOf(Array.from({ length: 2 ** 20 }, (_, i) => i))
    expect(bytes() - before).to.be.within(0.9 * 2 ** 23, 1.2 * 2 ** 23)
    sample.release()
    expect(bytes() - before).to.be.below(2 ** 20)
    expect([sample.count, sample.sum]).to.deep.equal([2 ** 20, 2 ** 19 * (2 ** 20 - 1)])
  })

  it('takes more values after it was asked', () => {
    const sample = sampleOf([3, 1])
    expect(sample.quantile(0.5)).to.equal(2)
    sample.add(0)
    expect(sample.quantile(0.5)).to.equal(1)
    expect(sample).to.deep.include({ count: 3, sum: 4 })
  })

  it('is at most 1 % off when it may not keep all values, and says so', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 20_000).map((i) => i ** 2 / 100)
    const exact = sampleOf(values)
    const rough = sampleOf(values, new SampleBudget(2000))
    expect([exact.isExact, rough.isExact]).to.deep.equal([true, false])
    expect([rough.count, rough.sum]).to.deep.equal([exact.count, exact.sum])
    for (const part of [0.1, 0.5, 0.95, 0.999]) {
      const right = exact.quantile(part) as number
      expect(rough.quantile(part)).to.be.closeTo(right, right * 0.0101)
    }
    expect(rough.quantile(0)).to.equal(0)
  })

  it('leaves what it kept to other samples when it keeps no values any more', () => {
    const budget = new SampleBudget(1024)
    const first = sampleOf(new Array(1500).fill(1), budget)
    expect(first.isExact).to.equal(false)
    expect(sampleOf(new Array(1024).fill(1), budget).isExact).to.equal(true)
  })

  it('keeps a few values exactly, whatever the budget', () => {
    const sample = sampleOf([1, 2, 30], new SampleBudget(0))
    expect(sample.isExact).to.equal(true)
    expect(sample.quantile(0.5)).to.equal(2)
  })
})
