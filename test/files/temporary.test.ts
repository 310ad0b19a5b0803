import { chmodSync, chownSync, constants, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import fsPromises from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import { makeTemporaryDirectory, openNameless, temporaryError } from '../../src/files/index.ts'
import { systemError, withBuiltin } from '../support/builtin.ts'
import { scratch } from '../support/fixtures.ts'

const STRANGER = 12345

function withMode(mode: number): string {
  const dir = join(scratch(), 'tmp')
  mkdirSync(dir)
  chmodSync(dir, mode)
  return dir
}

describe('files/temporary', () => {
  it('makes directories that only the owner can enter, under names that nobody can guess', () => {
    const parent = withMode(0o1777)
    const made = [makeTemporaryDirectory(parent), makeTemporaryDirectory(parent)]
    for (const { path } of made) {
      expect(lstatSync(path).mode & 0o7777).to.equal(0o700)
      expect(basename(path)).to.match(/[0-9a-f]{12}\.part$/)
    }
    expect(new Set(made.map(({ path }) => path))).to.have.property('size', 2)
    for (const dir of made) dir.remove()
    expect(readdirSync(parent)).to.deep.equal([])
  })

  for (const mode of [0o777, 0o775, 0o2770]) {
    it(`makes none where others can rename it: mode ${mode.toString(8)}`, () => {
      const parent = withMode(mode)
      expect(() => makeTemporaryDirectory(parent))
        .to.throw(`${parent}: not safe for temporary files, because other users can rename them there`)
        .with.include({ code: 'EACCES', hint: 'set TMPDIR to another directory' })
      expect(readdirSync(parent)).to.deep.equal([])
    })
  }

  it('makes none in a directory of another user', function () {
    if (process.geteuid?.() !== 0) return this.skip()
    const parent = withMode(0o755)
    chownSync(parent, STRANGER, STRANGER)
    expect(() => makeTemporaryDirectory(parent)).to.throw(/not safe for temporary files/)
  })

  it('are advised to be elsewhere by TMPDIR only where they are in it, and another place helps', () => {
    const errno = (code: string) => Object.assign(new Error(), { code })
    const hint = (code: string, path: string) => temporaryError(errno(code), 'cannot write', path).hint
    expect(temporaryError(errno('EROFS'), 'cannot make a file in', tmpdir())).to.include({
      code: 'EROFS',
      message: `cannot make a file in ${tmpdir()}: Read-only file system`,
      hint: 'set TMPDIR to another directory',
    })
    expect(hint('ENOSPC', join(tmpdir(), 'x/y'))).to.equal('set TMPDIR to another directory')
    expect(hint('ENOSPC', '/var/lib/flux/x')).to.equal('make room, or write to another file system')
    expect(hint('ENOSPC', `${tmpdir()}-other`)).to.equal('make room, or write to another file system')
    expect(hint('EMFILE', tmpdir())).to.equal('raise the limit on open files (ulimit -n)')
  })

  it('opens files that have no name', async () => {
    const parent = withMode(0o777)
    const handle = await openNameless(parent)
    try {
      expect(readdirSync(parent)).to.deep.equal([])
      const { mode, nlink } = await handle.stat()
      expect([mode & 0o7777, nlink]).to.deep.equal([0o600, 0])
    } finally {
      await handle.close()
    }
    expect(existsSync(parent)).to.equal(true)
  })

  describe('on a file system that has only files with names', () => {
    const { open } = fsPromises
    const opened: Awaited<ReturnType<typeof open>>[] = []
    const namesOnly: typeof open = async (path, flags, mode) => {
      if (typeof flags === 'number' && (flags & constants.O_DIRECTORY) !== 0) throw systemError('EOPNOTSUPP')
      const handle = await open(path, flags, mode)
      opened.push(handle)
      return handle
    }
    beforeEach(() => void opened.splice(0))

    it('opens files whose name is gone at once', async () => {
      const parent = withMode(0o777)
      const handle = await withBuiltin(fsPromises, { open: namesOnly }, () => openNameless(parent))
      try {
        expect(readdirSync(parent)).to.deep.equal([])
        const { mode, nlink } = await handle.stat()
        expect([mode & 0o7777, nlink]).to.deep.equal([0o600, 0])
        await handle.write('text', 3)
        expect((await handle.read(Buffer.alloc(9), 0, 9, 0)).bytesRead).to.equal(7)
      } finally {
        await handle.close()
      }
    })

    it('closes a file whose name it cannot remove', async () => {
      const unlink = async () => {
        throw systemError('EIO')
      }
      const failed = withBuiltin(fsPromises, { open: namesOnly, unlink }, () => openNameless(withMode(0o777)))
      expect(await failed.catch((error) => error)).to.include({ code: 'EIO' })
      expect(opened.map(({ fd }) => fd)).to.deep.equal([-1])
    })

    it('fails with the error of the file system where no file can be made', async () => {
      const error = await openNameless(join(scratch(), 'absent')).catch((error) => error)
      expect(error).to.include({ code: 'ENOENT' })
    })
  })
})
