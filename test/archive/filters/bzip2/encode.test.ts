/** What is peculiar to bzip2: that it is a program, or threads, and the bytes are the same. */
import { hash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect } from 'chai'
import { checkBzip2Stream } from '../../../../src/archive/filters/bzip2/check.ts'
import { bzip2Compressor, ThreadedBzip2 } from '../../../../src/archive/filters/bzip2/encode.ts'
import { createArchive } from '../../../../src/archive/index.ts'
import { scratch } from '../../../support/fixtures.ts'
import { fakeProgram, run, withEnv } from '../../../support/processes.ts'

/** Text, noise and repetitions in turn: what libbz2 sorts in different ways. @returns the archive */
async function write(env: Record<string, string>): Promise<Buffer> {
  const file = join(scratch(), 'x.tar.bz2')
  const attributes = { mode: 0o644, uid: 1, gid: 2, mtimeSeconds: 3 }
  await withEnv(env, async () => {
    await using archive = await createArchive(file, { attributes, level: 2, threads: 2 })
    for (let n = 0; n < 200; n++) {
      const noise = Buffer.concat(Array.from({ length: 4 * n }, (_, i) => hash('sha1', `${n} ${i}`, 'buffer')))
      const text = Buffer.from(`${n} `.repeat(n).padEnd(100 * n, String.fromCharCode(n)))
      const value = n % 3 === 0 ? noise : text
      archive.file(`d${n % 7}/f${n}`, value.length, [value])
    }
    await archive.finish()
  })
  return readFileSync(file)
}

function inFront(dir: string): { PATH: string } {
  return { PATH: `${dir}${delimiter}${process.env.PATH}` }
}

describe('archive/filters/bzip2, the program', () => {
  it('writes what the threads write that stand in for it', async () => {
    expect((await write({})).equals(await write({ PATH: '/nonexistent' }))).to.equal(true)
  })

  it('does not look at what BZIP and BZIP2 say', async () => {
    expect((await write({})).equals(await write({ BZIP2: '-9', BZIP: '--small' }))).to.equal(true)
  })

  it('is not used when it is another that has the name', async () => {
    const dir = fakeProgram('bzip2', 'echo "BusyBox v1.36.1 multi-call binary." >&2; touch "$0.$1"')
    expect((await write(inFront(dir))).equals(await write({}))).to.equal(true)
    expect(readdirSync(dir)).to.have.members(['bzip2', 'bzip2.--help'])
  })

  it('may fail, with its own words', async () => {
    const dir = fakeProgram(
      'bzip2',
      `case $1 in --help) echo "bzip2, a block-sorting file compressor.  Version 1.0.8, 13-Jul-2019." >&2; exit 0; esac
       cat >/dev/null; echo "bzip2: couldn't allocate enough memory" >&2; exit 1`,
    )
    const error = await write(inFront(dir)).catch((error) => error)
    expect(error.message.replace(/\/\S*\//g, '')).to.equal(
      "cannot write x.tar.bz2: bzip2 failed: couldn't allocate enough memory",
    )
  })
})

describe('archive/filters/bzip2, a program that is not what it says', () => {
  const HELP =
    'case $1 in --help) echo "bzip2, a block-sorting file compressor.  Version 1.0.8, 13-Jul-2019." >&2; exit 0; esac'

  /** What is wrong with the program, when it was asked for a stream of level 2. */
  async function says(script: string): Promise<string> {
    const error = await write(inFront(fakeProgram('bzip2', `${HELP}\n${script}`))).catch((error) => error)
    return error.message.replace(/\/\S*\//g, '').replace('cannot write x.tar.bz2: bzip2 failed: it ', '')
  }

  it('is not believed when it says that all is well, and what it wrote is not the block', async () => {
    const real = run('sh', ['-c', 'command -v bzip2']).toString().trim()
    expect(await says('cat > /dev/null')).to.equal('wrote 0 bytes that are no whole bzip2 stream')
    expect(await says(`${real} "$@" | head -c 1000`)).to.equal('wrote 1000 bytes that are no whole bzip2 stream')
    expect(await says(`head -c 1000 | ${real} "$@"; cat > /dev/null`)).to.equal(
      'compressed other data than it was given',
    )
    expect(await says(`tr 1 2 | ${real} "$@"`)).to.equal('compressed other data than it was given')
    expect(await says('yes')).to.match(/^wrote more than \d+ bytes for 800000$/)
  })

  it('is believed wherever blocks and runs end', async () => {
    const text = (length: number, change: (i: number) => number) =>
      Buffer.from(Array.from({ length }, (_, i) => change(i)))
    for (let length = 99_978; length < 99_988; length++) {
      for (const change of [
        (i: number) => i & 255,
        (i: number) => Math.floor(i / 3) & 255,
        (i: number) => (i < 99_970 ? i & 255 : 9),
      ]) {
        const input = text(length, change)
        expect(checkBzip2Stream(1, input, run('bzip2', ['-1'], input)), `${length}`).to.equal(undefined)
        expect(checkBzip2Stream(1, input, run('bzip2', ['-1'], input.subarray(1))), `${length}`).to.be.a('string')
      }
    }
    for (const input of [Buffer.alloc(0), Buffer.alloc(3_000_000), Buffer.alloc(200_000, 'ab')]) {
      expect(checkBzip2Stream(9, input, run('bzip2', ['-9'], input))).to.equal(undefined)
    }
  })

  it('does not hold the archive when it never says what it is', async () => {
    const dir = fakeProgram('bzip2', 'trap \'\' TERM; sleep 1000 & echo $! > "$0.sleeps"; wait')
    const controller = new AbortController()
    await withEnv(inFront(dir), async () => {
      const begun = bzip2Compressor(9, controller.signal)
      const sleeps = join(dir, 'bzip2.sleeps')
      while (!existsSync(sleeps) || readFileSync(sleeps).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 5))
      controller.abort()
      await (await begun).close?.()
      process.kill(Number(readFileSync(sleeps, 'utf8')), 'SIGKILL')
    })
  })
})

describe('archive/filters/bzip2, its threads', () => {
  it('say in one line what libbz2 says', async () => {
    const compressor = new ThreadedBzip2(10, 1000)
    const error = await compressor.compress(new Uint8Array(100)).catch((error) => error)
    expect(error.message).to.equal('bzip2: libbz2 says -2')
    await compressor.close()
  })
})
