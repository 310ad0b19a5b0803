import { expect } from 'chai'
import { parseDuration, UsageError } from '../../src/cli/index.ts'

describe('cli/duration', () => {
  for (const [text, milliseconds] of [
    ['10', 10_000],
    ['0', 0],
    ['1.5', 1500],
    ['.5s', 500],
    ['250ms', 250],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1e3ms', 1000],
    ['inf', undefined],
    ['INFINITY', undefined],
  ] as const) {
    it(`takes ${text} for ${milliseconds ?? 'no'} milliseconds`, () => {
      expect(parseDuration(text, 'timeout')).to.equal(milliseconds)
    })
  }

  for (const text of ['', 'soon', '-1', '1w', '1 s', 's', '1.5.2', 'infinit', '10 m']) {
    it(`refuses '${text}', in Flux's own words`, () => {
      expect(() => parseDuration(text, 'timeout')).to.throw(
        UsageError,
        `Invalid argument for option 'timeout': '${text}'`,
      )
    })
  }
})
