import { expect } from 'chai'
import { abortable } from '../../src/errors/index.ts'

describe('errors/abortable', () => {
  it('leaves no rejection unhandled that comes after its signal was aborted', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', note)
    try {
      const late = Promise.withResolvers<never>()
      const error = await abortable(late.promise, AbortSignal.abort()).catch((error) => error)
      expect(error).to.include({ code: 'EINTR' })
      late.reject(new Error('late'))
      await new Promise((resolve) => setImmediate(resolve))
      expect(unhandled).to.deep.equal([])
    } finally {
      process.off('unhandledRejection', note)
      for (const listener of others) process.on('unhandledRejection', listener)
    }
  })
})
