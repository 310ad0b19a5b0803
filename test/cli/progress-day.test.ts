/** Progress over a day of simulated time, in which the machine sleeps, and somebody sets the clock. */
import { expect } from 'chai'
import { Progress } from '../../src/cli/progress.ts'
import { ProgressLine } from '../../src/cli/progress-line.ts'
import { byteText, partTexts } from '../../src/errors/index.ts'
import { FakeTerminal } from '../support/fake-terminal.ts'

const HOUR = 3600
const DAY = 24 * HOUR

/** The seconds that a text says are left. */
function leftSeconds(text: string): number {
  const [, hours = 0, minutes = 0, seconds = 0] = /(?:(\d+) h )?(?:(\d+) min)? ?(?:(\d+) s)? left/.exec(text) ?? []
  return Number(hours) * HOUR + Number(minutes) * 60 + Number(seconds)
}

const texts = (part: number, seconds: number) => partTexts({ part, seconds, left: 'about', of: 'of the store' })

describe('progress over a day', () => {
  const { now } = Date
  afterEach(() => {
    Date.now = now
  })

  it('estimates what is left of steady work to a minute, from its first hundredth to its last', () => {
    for (let second = DAY / 100; second < DAY * 0.99; second += 61) {
      const [left = '', percent = ''] = texts(second / DAY, second)
      expect(leftSeconds(left), `after ${second} s`).to.be.within(DAY - second - 60, DAY - second + 2)
      expect(percent).to.equal(`${Math.floor((second / DAY) * 100)}% of the store`)
    }
  })

  it('counts down from second to second, and is never negative, nor endless', () => {
    let before = Number.POSITIVE_INFINITY
    for (let second = DAY * 0.9; second < DAY * 2; second += 60) {
      // From the middle on more is met than was known of.
      const [left = ''] = texts(second / DAY, second)
      if (second < DAY * 0.99) expect(leftSeconds(left)).to.be.at.most(before)
      expect(left).to.match(/^about (\d+ h )?(\d+ min ?)?(\d+ s )?left$/)
      before = leftSeconds(left)
    }
  })

  it('takes an hour without work into its estimate, and comes back from it', () => {
    const part = (second: number) => Math.max(0, second > 7 * HOUR ? second - HOUR : Math.min(second, 6 * HOUR)) / DAY
    const at = (second: number) => leftSeconds(texts(part(second), second)[0] ?? '')
    expect(at(6 * HOUR)).to.be.closeTo(18 * HOUR, 60)
    // In 7 hours a quarter was done: three times as long is left.
    expect(at(7 * HOUR)).to.be.closeTo(21 * HOUR, 60)
    expect(at(24 * HOUR)).to.be.closeTo((HOUR * 24) / 23, 60)
  })

  it('has words for every rate and every duration', () => {
    for (const seconds of [1e-9, 1e-3, 1, DAY, 365 * DAY, 1e12]) {
      for (const bytes of [0, 1, 1e6, 30e9, Number.MAX_SAFE_INTEGER]) {
        expect(byteText(bytes / seconds)).to.match(/^\d+(\.\d)? ([kMGTPE]B|bytes?)$/)
      }
      for (const part of [0.01, 0.5, 1, 1e9, Number.MAX_VALUE]) {
        for (const text of texts(part, seconds))
          expect(text).to.match(/^(about (\d+ (h|min|s) )+left|\d+% of the store)$/)
      }
    }
  })

  it('does not look at the clock that people set', () => {
    const terminal = new FakeTerminal()
    let seconds = 0
    const progress = new Progress(new ProgressLine(terminal), () => seconds * 1000)
    const counts = { blobs: 0, keys: 0 }
    const reading = { progress: counts, part: 0 }
    progress.readsArchive('x.tar', reading as never)
    const pass = (ms: number) => {
      seconds += ms / 1000
      reading.part = seconds / (4 * HOUR)
      counts.keys += ms
      terminal.pass(ms)
    }
    pass(HOUR * 1000)
    expect(terminal.screen[0]).to.match(/about 3 h 0 min left, 25% of the archive/)
    for (const jump of [-10 * DAY, 10 * DAY, -HOUR, HOUR]) {
      Date.now = () => now() + jump * 1000
      pass(1000)
      expect(terminal.screen[0], `${jump}`).to.match(/about (3 h 0|2 h 59) min left, 25% of the archive/)
    }
    progress.end()
    expect(terminal.isBusy).to.equal(false)
  })
})
