import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { openFifo } from '../../src/files/index.ts'
import { scratch } from '../support/fixtures.ts'
import { run } from '../support/processes.ts'

describe('files/open-fifo', () => {
  for (const way of ['read', 'write'] as const) {
    it(`stops waiting for the other end of a pipe to ${way} when it is called off`, async () => {
      const path = join(scratch(), 'pipe')
      run('mkfifo', [path])
      const before = new AbortController()
      before.abort()
      await (await openFifo(path, way, before.signal)).close()
      const controller = new AbortController()
      const opening = openFifo(path, way, controller.signal)
      setImmediate(() => controller.abort())
      await (await opening).close()
    })

    it(`opens a pipe to ${way} as soon as there is another end, and does not block in it`, async () => {
      const path = join(scratch(), 'pipe')
      run('mkfifo', [path])
      const opening = openFifo(path, way)
      const other = spawn('sh', ['-c', way === 'read' ? 'exec sleep 1000 > "$0"' : 'exec sleep 1000 < "$0"', path])
      const handle = await opening
      const buffer = Buffer.alloc(1 << 20)
      const doing = way === 'read' ? handle.read(buffer) : handle.write(buffer).then(() => handle.write(buffer))
      expect(await doing.catch((error) => error)).to.include({ code: 'EAGAIN' })
      await handle.close()
      other.kill()
    })
  }
})
