import fs, { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { syncPath, syncPathSync } from '../../src/files/index.ts'
import { systemError, withBuiltin } from '../support/builtin.ts'
import { scratch } from '../support/fixtures.ts'

/** Both, as promises. */
const SYNCS = { syncPath, syncPathSync: async (path: string) => syncPathSync(path) }

/** How many descriptors are open: the next one has the lowest free number. */
function nextFd(): number {
  const fd = openSync('/dev/null', 'r')
  closeSync(fd)
  return fd
}

/** Flush a path while each flush fails. @returns its errno, or undefined if the failure is tolerated */
async function failing(sync: (path: string) => Promise<void>, path: string, code: string): Promise<string | undefined> {
  const changes = {
    fsyncSync: () => {
      throw systemError(code)
    },
    fsync: ((_: number, done: (error: Error) => void) => process.nextTick(done, systemError(code))) as typeof fs.fsync,
  }
  return await withBuiltin(fs, changes, () => sync(path)).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )
}

for (const [name, sync] of Object.entries(SYNCS)) {
  describe(`files/sync, ${name}`, () => {
    it('flushes a file and a directory, and leaves no descriptor open', async () => {
      const dir = scratch()
      mkdirSync(join(dir, 'sub'))
      writeFileSync(join(dir, 'file'), 'x')
      const fd = nextFd()
      for (const path of [join(dir, 'file'), join(dir, 'sub')]) await sync(path)
      expect(nextFd()).to.equal(fd)
    })

    for (const code of ['EIO', 'ENOSPC', 'EDQUOT']) {
      it(`fails with ${code}: what was written may not be on disk`, async () => {
        const fd = nextFd()
        expect(await failing(sync, scratch(), code)).to.equal(code)
        expect(nextFd()).to.equal(fd)
      })
    }

    for (const code of ['EINVAL', 'ENOTSUP', 'EPERM', 'EBADF']) {
      it(`takes ${code} for a file system that cannot flush a directory`, async () => {
        expect(await failing(sync, scratch(), code)).to.equal(undefined)
      })
    }

    it('fails when there is nothing to flush', async () => {
      const error = await sync(join(scratch(), 'absent')).catch((error) => error)
      expect(error).to.include({ code: 'ENOENT' })
    })
  })
}
