/** What is peculiar to xz: that it is a program. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect } from 'chai'
import { createArchive } from '../../../src/archive/index.ts'
import { scratch } from '../../support/fixtures.ts'
import { fakeProgram, run, withEnv } from '../../support/processes.ts'

const OPTIONS = { attributes: { mode: 0o644, uid: 1, gid: 2, mtimeSeconds: 3 } }

function fakeXz(script: string): string {
  return fakeProgram('xz', script)
}

async function write(file: string): Promise<void> {
  await using archive = await createArchive(file, { ...OPTIONS, level: 0, threads: 2 })
  for (let n = 0; n < 30; n++) {
    archive.file(`f${n}`, 1 << 20, [Buffer.alloc(1 << 20, n)])
    await archive.flush()
  }
  await archive.finish()
}

/** What writing says with a program of our own; nothing may be left behind. */
async function failing(script: string): Promise<string> {
  const dir = scratch()
  const file = join(dir, 'x.tar.xz')
  const path = `${fakeXz(script)}${delimiter}${process.env.PATH}`
  const error = await withEnv({ PATH: path }, () => write(file)).catch((error) => error)
  expect(readdirSync(dir)).to.deep.equal([])
  return error.message.replaceAll(dir, 'DIR').replace(/\S+\/xz/, 'XZ')
}

describe('archive/filters/xz, the program', () => {
  it('does not look at what XZ_OPT and XZ_DEFAULTS say', async () => {
    const dir = scratch()
    await write(join(dir, 'a.tar.xz'))
    const env = { XZ_OPT: '-9e --check=crc32', XZ_DEFAULTS: '--format=lzma --memlimit=1' }
    await withEnv(env, () => write(join(dir, 'b.tar.xz')))
    expect(readFileSync(join(dir, 'a.tar.xz')).equals(readFileSync(join(dir, 'b.tar.xz')))).to.equal(true)
    run('xz', ['-t', join(dir, 'b.tar.xz')])
  })

  it('is missed before anything is begun', async () => {
    const dir = scratch()
    const file = join(dir, 'x.tar.xz')
    const error = await withEnv({ PATH: dir }, () => write(file)).catch((error) => error)
    expect(error.message).to.equal(`cannot write ${file}: it takes the program xz, which is not on PATH`)
    expect(error).to.include({ code: 'ENOENT', hint: 'install it (package xz-utils or xz), or write .tar.zst' })
    expect(readdirSync(dir)).to.deep.equal([])
  })

  it('may fail, with its own words', async () => {
    expect(await failing('cat >/dev/null; echo "xz: (stdin): Cannot allocate memory" >&2; exit 1')).to.equal(
      'cannot write DIR/x.tar.xz: XZ failed: Cannot allocate memory',
    )
  })

  it('may fail without a word, and without reading its input', async () => {
    expect(await failing('exit 3')).to.equal('cannot write DIR/x.tar.xz: XZ failed: exit status 3')
  })

  it('may be killed', async () => {
    expect(await failing('kill -9 $$')).to.equal('cannot write DIR/x.tar.xz: XZ was killed by SIGKILL')
  })

  it('may not be a program at all', async () => {
    const dir = fakeXz('')
    writeFileSync(join(dir, 'xz'), '#!/nonexistent/interpreter\n')
    const file = join(scratch(), 'x.tar.xz')
    const error = await withEnv({ PATH: dir }, () => write(file)).catch((error) => error)
    expect(error.message).to.match(/^cannot write .*\/x\.tar\.xz: cannot run .*\/xz: /)
    expect(existsSync(file)).to.equal(false)
  })

  it('is killed when the archive is called off', async () => {
    const dir = scratch()
    const path = `${fakeXz(`echo $$ >> ${dir}/pids; exec sleep 1000`)}${delimiter}${process.env.PATH}`
    await withEnv({ PATH: path }, async () => {
      const archive = await createArchive(join(dir, 'x.tar.xz'), { ...OPTIONS, threads: 2 })
      archive.file('f', 20 << 20, [Buffer.alloc(20 << 20)])
      const writing = archive.flush().catch((error) => error)
      const pids = () =>
        existsSync(join(dir, 'pids')) ? readFileSync(join(dir, 'pids'), 'utf8').trim().split('\n').map(Number) : []
      while (pids().length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
      await archive.abort()
      expect(await writing).to.have.property('code', 'EINTR')
      for (const pid of pids()) expect(() => process.kill(pid, 0)).to.throw(/ESRCH/)
      expect(readdirSync(dir)).to.deep.equal(['pids'])
    })
  })
})
