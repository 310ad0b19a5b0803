import { type ChildProcess, spawn } from 'node:child_process'
import fs, {
  chownSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { makeTemporaryDirectory, PartFile } from '../../src/files/index.ts'
import { systemError, withBuiltin } from '../support/builtin.ts'
import { scratch } from '../support/fixtures.ts'
import { killed } from '../support/stores.ts'

const FILES = fileURLToPath(new URL('../../src/files/index.ts', import.meta.url))

/** Another process that has begun to write `final`, and waits. */
async function beginElsewhere(final: string, kind: 'file' | 'directory'): Promise<ChildProcess> {
  const script = `
    const { writeFileSync } = await import('node:fs')
    const { PartFile } = await import(${JSON.stringify(FILES)})
    const part = new PartFile(process.argv[1], process.argv[2])
    if (process.argv[2] === 'directory') writeFileSync(part.path + '/a', 'half')
    console.log('ready')
    setInterval(() => {}, 1000)`
  const args = ['--no-warnings', '--input-type=module', '-e', script, final, kind]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', () => reject(new Error('it ended')))
  })
  return child
}

describe('files/part-file', () => {
  it('has its name when it is complete, and is of its owner alone until then', () => {
    const final = join(scratch(), 'x.tar')
    const part = new PartFile(final, 'file')
    writeSync(part.fd, 'all of it')
    expect(statSync(part.path).mode & 0o777).to.equal(0o600)
    expect(existsSync(final)).to.equal(false)
    fsyncSync(part.fd)
    part.publish('any')
    part.remove()
    expect(readFileSync(final, 'utf8')).to.equal('all of it')
  })

  for (const kind of ['file', 'directory'] as const) {
    it(`removes the ${kind} that a killed process left of the same name, and no other`, async () => {
      const dir = scratch()
      const final = join(dir, 'x.tar')
      const dead = await beginElsewhere(final, kind)
      const live = await beginElsewhere(final, kind)
      const other = await beginElsewhere(join(dir, 'y.tar'), kind)
      const [deadName = ''] = readdirSync(dir).filter((name) => name.startsWith(`.x.tar.${dead.pid}-`))
      await killed(dead)
      await killed(other)
      // Made to look like it: another machine or boot, another start, a link, an older way of naming.
      const doubtful = [
        deadName.replace(/[0-9a-f]{16}-([0-9a-f]{12})\.part$/, 'ffffffffffffffff-$1.part'),
        deadName.replace(/-[0-9a-f]{12}\.part$/, '.part'),
        '.x.tar.0123456789ab.part',
      ]
      for (const name of doubtful) writeFileSync(join(dir, name), 'whose?')
      const link = deadName.replace(/[0-9a-f]{12}\.part$/, '000000000000.part')
      symlinkSync('/etc/passwd', join(dir, link))
      const before = readdirSync(dir)

      new PartFile(final, kind).remove()
      expect(before.filter((name) => !existsSync(join(dir, name)) && name !== link)).to.deep.equal([deadName])
      expect(readdirSync(dir)).to.include.members([...doubtful, link])
      expect(readdirSync(dir).filter((name) => name.startsWith('.y.tar.'))).to.have.length(1)
      await killed(live)
      new PartFile(final, kind).remove()
      expect(readdirSync(dir).filter((name) => name.startsWith(`.x.tar.${live.pid}-`))).to.deep.equal([])
    })
  }

  it('leaves what a killed process of another user left', async function () {
    if (process.geteuid?.() !== 0) return this.skip()
    const dir = scratch()
    const child = await beginElsewhere(join(dir, 'x.tar'), 'file')
    await killed(child)
    const [name = ''] = readdirSync(dir)
    chownSync(join(dir, name), 12345, 12345)
    new PartFile(join(dir, 'x.tar'), 'file').remove()
    expect(readdirSync(dir)).to.deep.equal([name])
  })

  it('removes temporary directories of killed processes', async () => {
    const dir = scratch()
    const child = await beginElsewhere(join(dir, 'flux-ts'), 'directory')
    await killed(child)
    expect(readdirSync(dir)).to.have.length(1)
    makeTemporaryDirectory(dir).remove()
    expect(readdirSync(dir)).to.deep.equal([])
  })

  const replacements: Record<string, (path: string, dir: string) => void> = {
    'another file': (path) => {
      rmSync(path)
      writeFileSync(path, 'forged')
    },
    'a link': (path) => {
      rmSync(path)
      symlinkSync('/etc/passwd', path)
    },
    'a hard link': (path, dir) => {
      writeFileSync(join(dir, 'other'), 'forged')
      linkSync(join(dir, 'other'), `${path}.2`)
      renameSync(`${path}.2`, path)
    },
    nothing: (path) => rmSync(path),
  }
  for (const [what, replace] of Object.entries(replacements)) {
    it(`does not give its name to ${what} that took its place`, () => {
      const dir = scratch()
      const final = join(dir, 'x.tar')
      writeFileSync(final, 'old')
      for (const onto of ['any', 'nothing'] as const) {
        const part = new PartFile(final, 'file')
        replace(part.path, dir)
        expect(() => part.publish(onto))
          .to.throw(/^cannot write .*x\.tar: somebody else replaced or removed .*\.part meanwhile$/)
          .with.include({ code: 'EBUSY', hint: 'write to a directory where nobody else may write' })
        part.remove()
        expect(readFileSync(final, 'utf8')).to.equal('old')
        expect(existsSync(part.path)).to.equal(what !== 'nothing')
        rmSync(join(dir, 'other'), { force: true })
      }
    })
  }

  for (const kind of ['file', 'directory'] as const) {
    it(`is removed from a directory that was moved meanwhile (a ${kind})`, () => {
      const dir = scratch()
      mkdirSync(join(dir, 'a'))
      const part = new PartFile(join(dir, 'a', 'x.tar'), kind)
      renameSync(join(dir, 'a'), join(dir, 'b'))
      expect(readdirSync(join(dir, 'b'))).to.have.length(1)
      part.remove()
      expect(readdirSync(join(dir, 'b'))).to.deep.equal([])
    })

    it(`is not removed when somebody gave it another name meanwhile (a ${kind})`, () => {
      const dir = scratch()
      const part = new PartFile(join(dir, 'x.tar'), kind)
      renameSync(part.path, join(dir, 'kept'))
      part.remove()
      expect(readdirSync(dir)).to.deep.equal(['kept'])
    })
  }

  it('does not take the place of anything when that is not wanted', () => {
    const final = join(scratch(), 'content.sqlite')
    const part = new PartFile(final, 'file')
    writeFileSync(final, 'was faster')
    expect(() => part.publish('nothing'))
      .to.throw()
      .with.property('code', 'EEXIST')
    part.remove()
    expect(readFileSync(final, 'utf8')).to.equal('was faster')
  })

  it('finds room for the longest name, of whatever characters', () => {
    for (const name of ['n'.repeat(255), '\u{1f600}'.repeat(63), '結'.repeat(85)]) {
      const dir = scratch()
      const part = new PartFile(join(dir, name), 'file')
      part.publish('any')
      expect(readdirSync(dir)).to.deep.equal([name])
    }
  })

  it('takes a name without hard links too, where nothing has it', async () => {
    const dir = scratch()
    const [free, taken] = [join(dir, 'free'), join(dir, 'taken')]
    const linkSync = () => {
      throw systemError('EPERM')
    }
    await withBuiltin(fs, { linkSync }, () => {
      const part = new PartFile(free, 'file')
      writeSync(part.fd, 'all of it')
      part.publish('nothing')
      const late = new PartFile(taken, 'file')
      writeFileSync(taken, 'was faster')
      expect(() => late.publish('nothing')).to.throw('EPERM')
      late.remove()
    })
    expect(readFileSync(free, 'utf8')).to.equal('all of it')
    expect(readFileSync(taken, 'utf8')).to.equal('was faster')
    expect(readdirSync(dir).sort()).to.deep.equal(['free', 'taken'])
  })

  it('is left where its directory was moved to when the system does not say where that is', async () => {
    const dir = scratch()
    mkdirSync(join(dir, 'old'))
    const part = new PartFile(join(dir, 'old', 'x.tar'), 'file')
    renameSync(join(dir, 'old'), join(dir, 'new'))
    const readlinkSync = () => {
      throw systemError('ENOENT')
    }
    await withBuiltin(fs, { readlinkSync } as Partial<typeof fs>, () => part.remove())
    expect(readdirSync(join(dir, 'new'))).to.have.length(1)
    expect(readdirSync(dir)).to.deep.equal(['new'])
  })

  it('leaves no directory behind when it cannot be made or opened', async () => {
    const dir = scratch()
    mkdirSync(join(dir, 'd'))
    expect(() => new PartFile(join(dir, 'absent', 'd'), 'directory'))
      .to.throw()
      .with.property('code', 'ENOENT')
    const openSync = () => {
      throw systemError('EMFILE')
    }
    await withBuiltin(fs, { openSync }, () => {
      expect(() => new PartFile(join(dir, 'e'), 'directory')).to.throw('EMFILE')
    })
    expect(readdirSync(dir)).to.deep.equal(['d'])
  })
})
