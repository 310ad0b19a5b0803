import { expect } from 'chai'
import { Thread } from '../../src/threads/index.ts'

type Echo = { echo: (text: string) => { reply: string }; break: (text: string) => { reply: string } }

/** What a call comes to. */
function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error) => error)
}

describe('a thread that cannot work', () => {
  it('fails calls made before and after that is known, and says why', async () => {
    // No such file: it cannot so much as begin.
    const thread = new Thread<Echo>('work', './no-such-thread', import.meta.url, {})
    const error = await outcome(thread.call('echo', 'early'))
    expect(error)
      .to.be.an('error')
      .with.property('message')
      .that.match(/^work: .*no-such-thread/)
    expect(await outcome(thread.call('echo', 'late'))).to.equal(error)
    expect(thread.pending).to.equal(0)
  })

  it('fails calls that are under way when it is ended', async () => {
    const thread = new Thread<Echo>('work', '../support/echo-thread', import.meta.url, {})
    expect(await thread.call('echo', 'one')).to.equal('one')
    const waiting = outcome(thread.call('echo', 'two'))
    await thread.terminate()
    const error = await waiting
    if (error !== 'two') expect(error).to.include({ code: 'EIO', message: 'work: its thread ended' })
    expect(await outcome(thread.call('echo', 'three'))).to.include({ code: 'EIO' })
  })

  it('says that it failed, when it does so without an answer', async () => {
    const thread = new Thread<Echo>('work', '../support/echo-thread', import.meta.url, {})
    await thread.call('break', 'thrown outside of any call')
    const error = await outcome(thread.call('echo', 'late'))
    expect(error).to.include({ code: 'EIO', message: 'work: its thread failed: thrown outside of any call' })
  })

  it('answers calls in their order, made before it could work', async () => {
    const thread = new Thread<Echo>('work', '../support/echo-thread', import.meta.url, {})
    const texts = ['a', 'b', 'c']
    const order: string[] = []
    await Promise.all(texts.map((text) => thread.call('echo', text).then((reply) => order.push(reply))))
    expect(order).to.deep.equal(texts)
    await thread.terminate()
  })
})
