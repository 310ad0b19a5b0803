import { expect } from 'chai'
import { byteText, countText, durationText, grouped, partTexts } from '../../src/errors/index.ts'

describe('quantities', () => {
  it('are sizes in decimal units, of two or three digits', () => {
    const sizes: [number, string][] = [
      [0, '0 bytes'],
      [1, '1 byte'],
      [999, '999 bytes'],
      [999.6, '1.0 kB'],
      [1000, '1.0 kB'],
      [4_321, '4.3 kB'],
      [43_114_324, '43.1 MB'],
      [99_940, '99.9 kB'],
      [99_950, '100 kB'],
      [412_000_000, '412 MB'],
      [999_499_999, '999 MB'],
      [999_500_000, '1.0 GB'],
      [30e9, '30.0 GB'],
      [Number.MAX_SAFE_INTEGER, '9.0 PB'],
      [5e21, '5000 EB'],
      [1234.5678, '1.2 kB'],
    ]
    expect(sizes.map(([bytes]) => byteText(bytes))).to.deep.equal(sizes.map(([, text]) => text))
  })

  it('are counts, with digits in groups, and one of a thing', () => {
    expect([0, 999, 1000, 1_234_567, Number.MAX_SAFE_INTEGER].map(grouped)).to.deep.equal([
      '0',
      '999',
      '1,000',
      '1,234,567',
      '9,007,199,254,740,991',
    ])
    expect([0, 1, 1000].map((number) => countText(number, 'key'))).to.deep.equal(['0 keys', '1 key', '1,000 keys'])
  })

  it('are durations, never less than what is left', () => {
    const durations: [number, string][] = [
      [0, '0 s'],
      [0.1, '1 s'],
      [59.9, '1 min 0 s'],
      [61, '1 min 1 s'],
      [3599, '59 min 59 s'],
      [7500, '2 h 5 min'],
    ]
    expect(durations.map(([seconds]) => durationText(seconds))).to.deep.equal(durations.map(([, text]) => text))
  })

  it('are parts, with the time that is left once it can be told', () => {
    const texts = (part: number | undefined, seconds: number) =>
      partTexts({ part, seconds, left: 'at most', of: 'of the store' })
    expect(texts(0.25, 10)).to.deep.equal(['at most 30 s left', '25% of the store'])
    expect(texts(0.01, 10)).to.deep.equal(['at most 16 min 30 s left', '1% of the store'])
    expect(texts(0.25, 0.9)).to.deep.equal(['25% of the store'])
    // A blob that is read twice may count twice.
    expect(texts(1.2, 100)).to.deep.equal(['at most 2 s left', '99% of the store'])
    for (const part of [undefined, 0, 0.0099]) expect(texts(part, 10)).to.deep.equal([])
  })
})
