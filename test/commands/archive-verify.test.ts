import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Dump } from '../../src/dump/index.ts'
import { archiveInfo } from '../../src/restore/index.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { Blobs, dir, MemoryStore, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

const WORD = 'a value that no checksum protects, and that is longer than an inline one is'
const TREE: Record<string, Tree> = {
  a: val('1'),
  job: dir({ f1: dir({ eventlog: valref('submit\n', 'finish\n'), word: valref(WORD) }), f2: dir({ R: val('{}') }) }),
  z: val('2'),
}

/** A store with two roots, and an archive of the older one. */
async function scene(
  extension: string,
  args: string[] = [],
): Promise<{ store: string; file: string; roots: string[] }> {
  const at = scratch()
  const [store, file] = [join(at, 'content.sqlite'), join(at, `x${extension}`)]
  const blobs = new Blobs()
  const roots = [blobs.tree({ ...TREE, later: val('3') }), blobs.tree(TREE)]
  writeSqlite(store, blobs, roots)
  const dumped = ['dump', '-q', '--store', store, '--checkpoint-index', '1', ...args, file]
  expect(await runInProcess(dumped)).to.include({ status: 0, stderr: '' })
  return { store, file, roots }
}

function flip(file: string): void {
  const bytes = readFileSync(file)
  const at = bytes.indexOf(WORD)
  bytes[at + 30] = (bytes[at + 30] as number) ^ 4
  writeFileSync(file, bytes)
}

async function verify(...args: string[]) {
  const { status, stdout, stderr } = await runInProcess(['archive', 'verify', '--json', ...args])
  return { status, stderr, json: JSON.parse(stdout.toString()) }
}

describe('flux-ts archive verify', () => {
  for (const extension of ['.tar', '.tgz', '.cpio', '.iso', '.zip', '/']) {
    it(`finds a sound archive the same as its source, also when newer checkpoints have come: ${extension}`, async () => {
      const { store, file, roots } = await scene(extension)
      const { status, json, stderr } = await verify(
        '--store',
        store,
        file,
        ...(extension === '/' ? ['--root', roots[1] as string] : []),
      )
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      expect(json).to.deep.include({ same: true, proven: extension !== '/', sourceRootref: roots[1], firstKey: null })
    })
  }

  for (const extension of ['.tar', '.cpio', '.iso']) {
    it(`names the key in which a bit was flipped: ${extension}`, async () => {
      const { store, file } = await scene(extension, ['--checksum'])
      flip(file)
      const { status, json } = await verify('--store', store, file)
      expect(status).to.equal(1)
      expect(json).to.deep.include({
        same: false,
        checksumSame: false,
        proven: false,
        firstKey: 'job.f1.word',
        firstChange: 'changed',
      })
      // The record alone shows it too.
      const alone = await verify(file)
      expect(alone.status).to.equal(1)
      expect(alone.json).to.include({ proven: false, firstKey: null })
    })
  }

  it('compares the checksum beside the archive', async () => {
    const { file } = await scene('.tar', ['--checksum'])
    expect((await verify(file)).json).to.include({ same: true, checksumSame: true })
    writeFileSync(`${file}.sha256`, `${'0'.repeat(64)}  x.tar\n`)
    const { status, json } = await verify(file)
    expect(status).to.equal(1)
    expect(json).to.include({ same: false, checksumSame: false, proven: true })
  })

  it('compares the root that it was made of, without a source', async () => {
    const { file, roots } = await scene('.zip')
    expect((await verify('--root', roots[1] as string, file)).status).to.equal(0)
    const { status, json } = await verify('--root', roots[0] as string, file)
    expect(status).to.equal(1)
    expect(json.differences[0]).to.match(/^it was made of sha1-\w+, and not of sha1-\w+$/)
  })

  it('finds what another root of the source has', async () => {
    const { store, file, roots } = await scene('.tar')
    const { status, json } = await verify('--store', store, '--root', roots[0] as string, file)
    expect(status).to.equal(1)
    expect(json).to.include({ firstKey: 'later', firstChange: 'removed' })
  })

  it('does not miss what was not selected', async () => {
    const { store, file } = await scene('.tar', ['--key', 'job.f1'])
    expect((await verify('--store', store, file)).json).to.include({ same: true, proven: true })
  })

  it('prints the two roots in words', async () => {
    const { store, file, roots } = await scene('.tar')
    const { stdout } = await runInProcess(['archive', 'verify', '--store', store, file])
    expect(stdout.toString()).to.match(
      new RegExp(
        `^checksum: {4}-\nmade of: {5}${roots[1]}\nrestores to: sha1-\\w+, as recorded\nsource: {6}${roots[1]}, the same keys and values\n$`,
      ),
    )
  })

  it('exits with 2 for what cannot be read', async () => {
    const { store, file } = await scene('.tar')
    for (const args of [[join(scratch(), 'none.tar')], [store], ['--store', '/nonexistent', file], ['-']]) {
      expect((await runInProcess(['archive', 'verify', ...args])).status, args.join(' ')).to.equal(2)
    }
  })
})

describe('dump --verify-after', () => {
  for (const extension of ['.tar', '.tgz', '.cpio', '.iso', '.zip', '/']) {
    it(`accepts what was written: ${extension}`, async () => {
      const { file } = await scene(extension, ['--verify-after'])
      expect(existsSync(file)).to.equal(true)
    })
  }

  it('leaves nothing when the callback refuses, and gives it the root of a restore', async () => {
    const at = scratch()
    for (const name of ['x.tar', 'x/']) {
      const blobs = new Blobs()
      const root = blobs.tree(TREE)
      const verified: unknown[] = []
      const verify = async (path: string, rootref: string | undefined) => {
        verified.push(existsSync(path), existsSync(join(at, name)), rootref?.slice(0, 5))
        throw new Error('no good')
      }
      const outfile = join(at, name)
      const dump = new Dump({ store: new MemoryStore(blobs), root, outfile, verify, checksum: name === 'x.tar' })
      expect((await dump.run().catch((error) => error)).message).to.include('no good')
      expect(verified).to.deep.equal([true, false, 'sha1-'])
      expect(readdirSync(at)).to.deep.equal([])
    }
  })

  it('leaves nothing when a byte changes between the write and the look', async () => {
    const { store } = await scene('.cpio')
    const at = scratch()
    const { verifyWritten } = await import('../../src/commands/dump.ts')
    const blobs = new Blobs()
    const outfile = join(at, 'x.cpio')
    const verify = async (path: string, rootref: string | undefined) => {
      flip(path)
      await verifyWritten(outfile, path, rootref, new AbortController().signal)
    }
    const dump = new Dump({ store: new MemoryStore(blobs), root: blobs.tree(TREE), outfile, verify })
    const error = await dump.run().catch((caught) => caught)
    expect(error).to.include({ code: 'EBADMSG' })
    expect(error.message).to.match(
      /\/x\.cpio: what was written (?:cannot be read back: |does not hold what was read: it gives sha1-)/,
    )
    expect(readdirSync(at)).to.deep.equal([])
    expect(existsSync(store)).to.equal(true)
  })

  it('says whether it was another root that was read back, or nothing', async () => {
    const { verifyWritten } = await import('../../src/commands/dump.ts')
    const path = fixture('jobs', 'dump.tgz')
    const verify = (path: string, rootref: string) =>
      verifyWritten('x.tgz', path, rootref, new AbortController().signal).catch((error) => error)
    const { rootref } = await archiveInfo(path, { hash: 'sha1' })
    expect(await verify(path, rootref)).to.equal(undefined)
    const other = `sha1-${'0'.repeat(40)}`
    expect(await verify(path, other)).to.include({
      code: 'EBADMSG',
      message: `x.tgz: what was written does not hold what was read: it gives ${rootref} instead of ${other}`,
      hint: 'the disk or the memory may be faulty',
    })
    const cut = join(scratch(), 'cut.tgz')
    writeFileSync(cut, readFileSync(path).subarray(0, 1000))
    const error = await verify(cut, rootref)
    expect(error).to.include({ code: 'EBADMSG', hint: 'the disk or the memory may be faulty' })
    expect(error.message).to.match(/^x\.tgz: what was written cannot be read back: .*truncated: /)
  })

  it('refuses a pipe, and standard output', async () => {
    for (const args of [
      ['--verify-after', '-'],
      ['--checksum', '-'],
      ['--checksum', 'x/'],
    ]) {
      expect((await runInProcess(['dump', '--store', '/nonexistent', ...args])).status, args.join(' ')).to.equal(2)
    }
  })
})
