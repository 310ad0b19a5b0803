import { expect } from 'chai'
import { startThread } from '../../src/archive/thread.ts'

describe('archive/thread', () => {
  it('says that a thread has ended by itself, and why', async () => {
    const received: unknown[] = []
    await new Promise<void>((resolve) => {
      // No such file: it cannot so much as begin.
      const worker = startThread(
        './no-such-thread',
        import.meta.url,
        undefined,
        (message) => void received.push(message),
      )
      worker.on('exit', () => resolve())
    })
    expect(received[0])
      .to.have.property('broken')
      .that.matches(/no-such-thread/)
    expect(received.at(-1)).to.deep.equal({ broken: 'the thread ended with 1' })
  })
})
