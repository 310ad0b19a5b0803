import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { followLinks } from '../../src/files/index.ts'
import { scratch } from '../support/fixtures.ts'
import { run } from '../support/processes.ts'

const STRANGER = 12345

/** A directory as /tmp is. */
function sticky(): string {
  const dir = join(scratch(), 'tmp')
  mkdirSync(dir)
  chmodSync(dir, 0o1777)
  return dir
}

const refusal = (path: string) =>
  followLinks(path).then(
    () => undefined,
    (error) => error,
  )

describe('files/follow-links', () => {
  it('refuses a directory of another user in a sticky directory', async function () {
    if (process.geteuid?.() !== 0) return this.skip()
    const planted = join(sticky(), 'out')
    mkdirSync(planted)
    expect(await refusal(planted)).to.equal(undefined)
    chownSync(planted, STRANGER, STRANGER)
    expect(await refusal(planted)).to.include({ hint: 'write to a directory of your own' })
    expect((await refusal(planted)).message).to.match(
      /: a directory of another user in .*tmp, where everybody may write$/,
    )
  })

  it('finds the end of a chain of links, also where nothing is yet', async () => {
    const dir = scratch()
    mkdirSync(join(dir, 'real'))
    symlinkSync('real/y', join(dir, 'x'))
    symlinkSync('x', join(dir, 'w'))
    const nothing = await followLinks(join(dir, 'w'))
    expect(nothing).to.deep.equal({ path: join(dir, 'real/y'), stats: undefined })
    writeFileSync(join(dir, 'real/y'), '')
    expect((await followLinks(join(dir, 'w'))).stats?.isFile()).to.equal(true)
  })

  it('does not go round in circles', async () => {
    const dir = scratch()
    symlinkSync('b', join(dir, 'a'))
    symlinkSync('a', join(dir, 'b'))
    expect(await refusal(join(dir, 'a'))).to.include({
      code: 'ELOOP',
      message: `cannot write ${join(dir, 'a')}: Too many levels of symbolic links`,
      hint: 'remove the link, which leads to itself',
    })
  })

  it('names links of another user in a sticky directory, first or further on, and does not follow them', async function () {
    if (process.geteuid?.() !== 0) return this.skip()
    const dir = sticky()
    const victim = join(scratch(), 'victim')
    writeFileSync(victim, 'mine')
    const trap = join(dir, 'kvs.tar')
    symlinkSync(victim, trap)
    lchownSync(trap, STRANGER, STRANGER)
    const own = join(scratch(), 'own')
    symlinkSync(trap, own)
    for (const path of [trap, own]) {
      expect(await refusal(path)).to.include({ code: 'EACCES' })
      expect((await refusal(path)).message).to.match(
        /a symbolic link of another user in .*tmp, where everybody may write$/,
      )
    }
    // Ours, or that of whoever has the directory, is followed; and any where not everybody may write.
    lchownSync(trap, 0, 0)
    expect((await followLinks(trap)).path).to.equal(victim)
    lchownSync(trap, STRANGER, STRANGER)
    chownSync(dir, STRANGER, STRANGER)
    expect((await followLinks(trap)).path).to.equal(victim)
    chownSync(dir, 0, 0)
    chmodSync(dir, 0o755)
    expect((await followLinks(trap)).path).to.equal(victim)
  })

  it('refuses files and pipes of another user in a sticky directory', async function () {
    if (process.geteuid?.() !== 0) return this.skip()
    const dir = sticky()
    writeFileSync(join(dir, 'file'), 'x')
    run('mkfifo', [join(dir, 'pipe')])
    for (const name of ['file', 'pipe']) {
      const path = join(dir, name)
      expect((await followLinks(path)).path).to.equal(path)
      chownSync(path, STRANGER, STRANGER)
      const error = await refusal(path)
      expect(error).to.include({ code: 'EACCES' })
      expect(error.message).to.equal(
        `cannot write ${path}: a ${name} of another user in ${dir}, where everybody may write`,
      )
    }
  })
})
