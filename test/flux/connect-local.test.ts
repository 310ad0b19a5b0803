import { join } from 'node:path'
import { expect } from 'chai'
import { connectLocal, retryDelayMs } from '../../src/flux/connect-local.ts'
import { parseUri } from '../../src/flux/index.ts'
import { scratch } from '../support/fixtures.ts'

const DAY_MS = 86_400_000

describe('a socket that is not there', () => {
  it('is tried again sooner at first, and every two seconds for a day', () => {
    let passedMs = 0
    let waits = 0
    let before = 0
    for (; passedMs < DAY_MS; waits++) {
      const delayMs = retryDelayMs(waits)
      const isRight = waits < 5 ? delayMs === 16 * 2 ** waits : delayMs >= before && delayMs <= 2000
      if (!isRight) expect.fail(`wait ${waits} takes ${delayMs} ms`)
      before = delayMs
      passedMs += delayMs
    }
    expect(waits).to.be.within(DAY_MS / 2000, DAY_MS / 2000 + 10)
    // Whatever comes: setTimeout takes what is too large for one millisecond.
    for (const many of [1e3, 1e6, Number.MAX_SAFE_INTEGER]) expect(retryDelayMs(many)).to.equal(2000)
  })

  it('is given up when the signal says so, in the middle of a wait', async () => {
    const uri = parseUri(`local://${join(scratch(), 'none')}`) as Parameters<typeof connectLocal>[0]
    const controller = new AbortController()
    const env = { FLUX_LOCAL_CONNECTOR_RETRY_COUNT: '1000000' }
    const attempt = connectLocal(uri, { env, signal: controller.signal }).catch((error) => error)
    setImmediate(() => controller.abort())
    expect(await attempt).to.include({ code: 'EINTR' })
  })

  it('is ENOENT after the last retry', async () => {
    const uri = parseUri(`local://${join(scratch(), 'none')}`) as Parameters<typeof connectLocal>[0]
    for (const retries of ['0', '1']) {
      const attempt = connectLocal(uri, { env: { FLUX_LOCAL_CONNECTOR_RETRY_COUNT: retries } })
      expect(await attempt.catch((error) => error)).to.include({ code: 'ENOENT' })
    }
  })
})
