import { mock } from 'node:test'
import { expect } from 'chai'
import { keepNotified } from '../../src/cli/status-notifier.ts'

const HOUR = 3600

describe('the status that an instance is sent', () => {
  const { now } = Date
  afterEach(() => {
    mock.timers.reset()
    Date.now = now
  })

  function notified(status: () => string, answer: () => Promise<void> = () => Promise.resolve()) {
    const sent: string[] = []
    mock.timers.enable({ apis: ['setInterval'] })
    const notifyStatus = (text: string) => {
      sent.push(text)
      return answer()
    }
    const stop = keepNotified({ notifyStatus }, status)
    return { sent, stop, pass: (seconds: number) => mock.timers.tick(seconds * 1000) }
  }

  it('is sent once a second for a day, and only when it has changed', async () => {
    let keys = 0
    const { sent, stop, pass } = notified(() => `${keys} keys`)
    for (let hour = 0; hour < 24; hour++) {
      // Work rests in every other hour.
      for (let second = 0; second < HOUR; second++) {
        if (hour % 2 === 0) keys += 1000
        pass(1)
      }
    }
    expect(sent).to.have.length(12 * HOUR)
    expect(new Set(sent)).to.have.property('size', sent.length)
    keys++
    await stop()
    expect(sent.at(-1)).to.equal(`${keys} keys`)
    pass(HOUR)
    expect(sent).to.have.length(12 * HOUR + 1)
  })

  it('does not mind a clock that is set, or a machine that slept', async () => {
    let keys = 0
    const { sent, stop, pass } = notified(() => `${keys} keys`)
    pass(1)
    for (const [at, jump] of [-864_000, 864_000, -1, HOUR].entries()) {
      Date.now = () => now() + jump * 1000
      keys++
      pass(1)
      expect(sent.at(-1), `${jump}`).to.equal(`${keys} keys`)
      expect(sent, `${jump}`).to.have.length(at + 2)
    }
    // An hour's sleep of the machine is no time for a timer; that of the process is one call of it, or some with one text.
    keys++
    pass(HOUR)
    expect(sent).to.have.length(6)
    await stop()
  })

  it('ends the work as well when it cannot be sent', async () => {
    let keys = 0
    const { sent, stop, pass } = notified(
      () => `${keys} keys`,
      () => Promise.reject(new Error('lost')),
    )
    for (; keys < 10; keys++) pass(1)
    await stop()
    expect(sent).to.have.length(11)
  })
})
