/** What is peculiar to xz: that it is a program. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect } from 'chai'
import { createArchive } from '../../../../src/archive/index.ts'
import { scratch } from '../../../support/fixtures.ts'
import { fakeProgram, run, withEnv } from '../../../support/processes.ts'

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

/** False for a process that has ended, though nobody may have asked for its status. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
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

  it('is not believed when it says that all is well, and what it wrote is not the block', async () => {
    const real = run('sh', ['-c', 'command -v xz']).toString().trim()
    const says = async (script: string) =>
      (await failing(script)).replace(/^cannot write DIR\/x\.tar\.xz: XZ failed: it /, '')
    expect(await says('cat > /dev/null')).to.equal('wrote 0 bytes that are no whole xz stream')
    expect(await says(`${real} "$@" | head -c 100`)).to.equal('wrote 100 bytes that are no whole xz stream')
    expect(await says(`head -c 1000 | ${real} "$@"; cat > /dev/null`)).to.equal(
      'compressed 1000 of the 4194304 bytes that it was given',
    )
    expect(await says(`tr 'u' 'v' | ${real} "$@"`)).to.equal('wrote other data than it was given')
    expect(await says(`${real} "$@" > "$0.$$"; head -c 40 "$0.$$"; tail -c 40 "$0.$$"; rm "$0.$$"`)).to.equal(
      'wrote an xz stream that lacks a part of its blocks',
    )
    expect(await says('yes')).to.match(/^wrote more than \d+ bytes for 4194304$/)
  })

  for (const [what, sleep] of [
    ['', 'echo $$ >> PIDS; exec sleep 1000'],
    [' with what it has started', 'sleep 1000 & echo $! >> PIDS; echo $$ >> PIDS; wait'],
    [
      ', and left behind when something else holds its output',
      'setsid sleep 1000 & echo $! >> "$0.others"; echo $$ >> PIDS; wait',
    ],
  ] as const)
    it(`is killed${what} when the archive is called off`, async () => {
      const dir = scratch()
      const fake = fakeXz(sleep.replaceAll('PIDS', `${dir}/pids`))
      const path = `${fake}${delimiter}${process.env.PATH}`
      await withEnv({ PATH: path }, async () => {
        const archive = await createArchive(join(dir, 'x.tar.xz'), { ...OPTIONS, threads: 2 })
        archive.file('f', 20 << 20, [Buffer.alloc(20 << 20)])
        const writing = archive.flush().catch((error) => error)
        const pids = () =>
          existsSync(join(dir, 'pids')) ? readFileSync(join(dir, 'pids'), 'utf8').trim().split('\n').map(Number) : []
        while (pids().length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
        await archive.abort()
        expect(await writing).to.have.property('code', 'EINTR')
        while (pids().some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 5))
        expect(readdirSync(dir)).to.deep.equal(['pids'])
      })
      const others = join(fake, 'xz.others')
      for (const pid of existsSync(others) ? readFileSync(others, 'utf8').trim().split('\n') : []) {
        process.kill(Number(pid), 'SIGKILL')
      }
    })
})
