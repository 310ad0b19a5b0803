import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { scratch } from '../support/fixtures.ts'
import { expanding, insertExpanding } from '../support/large-trees.ts'
import { CLI, cleanEnv, startFluxTs } from '../support/processes.ts'
import { Blobs, raw, val, valref, writeSqlite } from '../support/trees.ts'

const MB = 1 << 20
const VALUES = 6
const SIZE = 160 * MB

/** Tells the most memory that a process has had, as its last line on stderr. */
const HOOK = `data:text/javascript,${encodeURIComponent(
  `import { readFileSync } from 'node:fs'
   process.on('exit', () => process.stderr.write('peak ' + /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]))`,
)}`

function measured(args: readonly string[]): {
  status: number | null
  stderr: string
  stdout: Buffer
  peakBytes: number
} {
  const { status, stderr, stdout } = spawnSync(process.execPath, ['--import', HOOK, CLI, ...args], {
    env: cleanEnv(),
    maxBuffer: MB,
  })
  const [, lines = '', kb] = /^(.*)peak (\d+)$/s.exec(stderr.toString()) ?? []
  return { status, stderr: lines, stdout, peakBytes: Number(kb) * 1024 }
}

/** A store of few megabytes whose values come to a gigabyte, one of them referred to twice. */
function bombs(): { path: string; digests: Map<string, string> } {
  const path = join(scratch(), 'content.sqlite')
  const blobs = new Blobs()
  const large = Array.from({ length: VALUES }, (_, n) => expanding(n + 1, SIZE))
  const entries = Object.fromEntries(large.map(({ blobref }, n) => [`v${n}`, raw('valref', [blobref])]))
  const rootref = blobs.tree({ ...entries, again: raw('valref', [large[0]?.blobref]), small: val('1') })
  writeSqlite(path, blobs, [rootref])
  insertExpanding(path, large)
  return { path, digests: new Map(large.map(({ blobref }, n) => [`v${n}`, blobref.slice(5)])) }
}

describe('e2e: blobs that expand to much', () => {
  it('are checked in little memory', () => {
    const { path } = bombs()
    for (const command of [['fsck'], ['content', 'validate']]) {
      const { status, stderr, peakBytes } = measured([...command, '--store', path])
      expect(status, stderr).to.equal(0)
      expect(peakBytes)
        .to.be.greaterThan(0)
        .and.lessThan(300 * MB)
    }
  })

  it('are dumped in little memory, to the byte', () => {
    const { path, digests } = bombs()
    const dir = scratch()
    const out = join(dir, 'out/')
    const { status, stderr, peakBytes } = measured(['dump', '--quiet', '--store', path, out])
    expect(status, stderr).to.equal(0)
    expect(peakBytes)
      .to.be.greaterThan(0)
      .and.lessThan(350 * MB)
    for (const [name, digest] of digests) {
      expect(statSync(join(out, name)).size).to.equal(SIZE)
      expect(
        createHash('sha1')
          .update(readFileSync(join(out, name)))
          .digest('hex'),
      ).to.equal(digest)
    }
    expect(statSync(join(out, 'again')).size).to.equal(SIZE)
  })

  it('are shown by their beginning in little memory', () => {
    const { path } = bombs()
    const { status, stderr, stdout, peakBytes } = measured(['kvs', 'dir', '--store', path])
    expect(status, stderr).to.equal(0)
    expect(stdout.toString().split('\n')).to.have.length(VALUES + 3)
    expect(peakBytes)
      .to.be.greaterThan(0)
      .and.lessThan(300 * MB)
  })

  it('are left when the command is interrupted', async () => {
    const { path } = bombs()
    const { child, ended } = startFluxTs(['dump', '--quiet', '--format', 'tar', '--store', path, '-'])
    // Nobody reads on: the dump is in the midst of a value.
    await new Promise((resolve) => child.stdout.once('readable', resolve))
    child.kill('SIGINT')
    child.stdout.resume()
    expect((await ended).status).to.equal(130)
  })

  it('are not read to their end when the signal of their store is aborted', async () => {
    const { path, digests } = bombs()
    const controller = new AbortController()
    await using store = await openStore(path, { signal: controller.signal })
    const checking = store.checkBatch([...digests.values()].map((digest) => `sha1-${digest}`))
    controller.abort()
    const error = await checking.then(() => 'checked').catch((error) => error.code)
    expect(error).to.equal('EIO')
  })

  it('are damaged when they expand to something else, or are not what they are called', async () => {
    for (const kind of ['short', 'altered'] as const) {
      const path = join(scratch(), 'content.sqlite')
      const blobs = new Blobs()
      const good = expanding(1, 20 * MB)
      const bad = kind === 'short' ? { ...good, size: good.size + 1 } : { ...good, block: expanding(2, 20 * MB).block }
      writeSqlite(path, blobs, [blobs.tree({ v: raw('valref', [good.blobref]) })])
      insertExpanding(path, [bad])
      await using store = await openStore(path)
      const [error] = await store.checkBatch([good.blobref])
      expect(error).to.include({ code: 'EBADMSG' })
      const streamed = async () => {
        for await (const _ of store.onDisk.stream(good.blobref)) expect.fail('bytes of a damaged blob')
      }
      expect(await streamed().catch((error) => error)).to.include({ code: 'EBADMSG' })
    }
  })

  it('are streamed from a directory of files as well', async () => {
    const dir = join(scratch(), 'content.files')
    mkdirSync(dir)
    const blobs = new Blobs()
    const bytes = Buffer.alloc(5 * MB, 'some text ')
    const rootref = blobs.tree({ v: valref(bytes) })
    for (const [blobref, blob] of blobs) writeFileSync(join(dir, blobref), blob)
    writeFileSync(join(dir, 'kvs-primary'), JSON.stringify({ version: 1, rootref, sequence: 1, timestamp: 1 }))
    await using store = await openStore(dir)
    const blobref = blobs.store(bytes)
    const [result] = await store.loadBatch([blobref], 1, MB)
    expect(result).to.include({ code: 'EFBIG' })
    const parts: Uint8Array[] = []
    for await (const part of store.onDisk.stream(blobref)) parts.push(part)
    expect(Buffer.concat(parts).equals(bytes)).to.equal(true)
    writeFileSync(join(dir, blobref), bytes.subarray(1))
    await using again = await openStore(dir)
    expect((await again.checkBatch([blobref]))[0]).to.include({ code: 'EBADMSG' })
  })
})
