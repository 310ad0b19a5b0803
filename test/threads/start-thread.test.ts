import { expect } from 'chai'
import { type Broken, startThread } from '../../src/threads/index.ts'

describe('threads/start-thread', () => {
  it('says that a thread has ended by itself, and why', async () => {
    const received: Partial<Broken>[] = []
    await new Promise<void>((resolve) => {
      // No such file: it cannot so much as begin.
      const worker = startThread(
        './no-such-thread',
        import.meta.url,
        undefined,
        (message: object) => void received.push(message),
      )
      worker.on('exit', () => resolve())
    })
    const texts = received.map(({ broken }) => broken?.message)
    expect(texts[0]).to.match(/no-such-thread/)
    expect(texts.at(-1)).to.equal('a thread ended with 1')
    expect(received.at(-1)?.broken?.code).to.equal('EIO')
  })
})
