/** The root that a dump records is the one that a restore makes, and damage that a format does not notice shows in it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { HashingWriter, type HashName, openStore } from '../../src/content/index.ts'
import { Dump, type DumpOptions, type DumpResult } from '../../src/dump/index.ts'
import { ArchiveStore, archiveInfo, Restore, type RestoreOptions, type RestoreResult } from '../../src/restore/index.ts'
import { fixture, SOUND_CASES, scratch } from '../support/fixtures.ts'
import { run } from '../support/processes.ts'
import { Blobs, dir, MemoryStore, symlink, type Tree, val, valref, writeSqlite } from '../support/trees.ts'
import { WRITTEN } from '../support/write-archive.ts'

const FORMATS = ['.tar', '.cpio', '.iso', '.zip'] as const

async function dump(
  outfile: string,
  tree: Record<string, Tree>,
  options: Partial<DumpOptions> & { hash?: HashName } = {},
): Promise<DumpResult> {
  const { hash = 'sha1', ...rest } = options
  const blobs = new Blobs(hash)
  const root = blobs.tree(tree)
  return new Dump({ store: new MemoryStore(blobs), outfile, root, startSeconds: 1, uid: 0, gid: 0, ...rest }).run()
}

function restore(infile: string, options: Partial<RestoreOptions> & { hash?: HashName } = {}): Promise<RestoreResult> {
  const { hash = 'sha1', ...rest } = options
  const commit = async () => {}
  return new Restore({ infile, writer: new HashingWriter(hash), commit, allowEmpty: true, ...rest }).run()
}

const TREE: Record<string, Tree> = {
  empty: dir({ e: dir({}) }),
  small: val('1'),
  nothing: val(''),
  inline: val('x'.repeat(71)),
  long: val('x'.repeat(72)),
  job: dir({
    f1: dir({
      eventlog: valref('submit\n', 'start\n', 'finish\n'.repeat(20)),
      R: valref('{}'),
      J: valref('x'.repeat(99)),
    }),
    f2: dir({ gone: dir({ deep: dir({}) }) }),
    f3: dir({ link: symlink('small'), to: symlink('a.b', 'other'), colons: symlink('x::y::z') }),
  }),
  'a.b': val('dot'),
  é: valref('umlaut '.repeat(100)),
  large: valref(Buffer.alloc(1_500_000, 'one blob ')),
  parts: valref(Buffer.alloc(1_500_000, 'two '), 'blobs'),
  'some parts': valref(Buffer.alloc(100_000, 'y'), 'z'),
}

/** What a path cannot express. */
const ODD: Record<string, Tree> = {
  'a/b': val('1'),
  '..': dir({ '': val('2'), x: valref('3', '4') }),
  'a%2Fb': val('5'),
}

describe('the root that a restore makes', () => {
  for (const extension of WRITTEN.filter((one) => one !== '/')) {
    it(`is recorded by a dump, which compares it: ${extension}`, async () => {
      for (const hash of ['sha1', 'sha256'] as const) {
        const file = join(scratch(), `x${extension}`)
        const { restoredRootref, snapshot } = await dump(file, { ...TREE, odd: dir(ODD) }, { hash })
        expect(restoredRootref).to.not.equal(snapshot.rootref)
        const result = await restore(file, { hash })
        expect(result).to.include({ rootref: restoredRootref, isProven: true })
        expect(result.origin).to.deep.equal({
          rootref: snapshot.rootref,
          time: '1970-01-01T00:00:01Z',
          namespace: undefined,
          isSelection: false,
          skipped: 0,
          restored: restoredRootref,
        })
        // In another algorithm, the archive is read once more.
        const other = await restore(file, { hash: hash === 'sha1' ? 'sha256' : 'sha1' })
        expect(other.isProven).to.equal(true)
        expect(other.rootref).to.not.equal(restoredRootref)
        expect(await archiveInfo(file)).to.include({
          hash: extension === '.cpio' ? 'sha1' : hash,
          isProven: true,
        })
      }
    })
  }

  for (const name of SOUND_CASES) {
    it(`is that of a restore for the fixture ${name}`, async () => {
      for (const extension of FORMATS) {
        const outfile = join(scratch(), `x${extension}`)
        await using store = await openStore(fixture(name))
        const { restoredRootref } = await new Dump({ store, outfile }).run()
        expect(await restore(outfile, { hash: store.hash }), extension).to.include({
          rootref: restoredRootref,
          isProven: true,
        })
      }
    })
  }

  const name = fc.oneof(
    fc.constantFrom(
      'a',
      'b',
      'job',
      'eventlog',
      'a.b',
      '0',
      '10',
      '..',
      '.',
      '',
      'a/b',
      '%',
      'a%2Fb',
      '%2E',
      '"\\\u0001',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => !text.includes('\0')),
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc.integer({ min: 65, max: 80 }).map((size) => new Uint8Array(size)),
  )
  const { tree } = fc.letrec<{ tree: Tree; dir: Record<string, Tree> }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc
        .uint8Array({ maxLength: 80 })
        .map((data) => ({ data: Buffer.from(data).toString('base64'), type: 'val', ver: 1 })),
      fc.array(bytes, { minLength: 1, maxLength: 3 }).map((blobs) => valref(...blobs)),
      fc.tuple(name, fc.option(fc.constantFrom('n', 'job-1'), { nil: undefined })).map(([to, ns]) => symlink(to, ns)),
      tie('dir').map((entries) => dir(entries)),
    ),
    dir: fc.dictionary(name, tie('tree'), { maxKeys: 5, noNullPrototype: false }),
  }))

  it('is recorded for any tree, in every format and by both algorithms', async () => {
    const file = scratch()
    const some = fc.dictionary(name, tree, { maxKeys: 6, noNullPrototype: false })
    const kind = fc.constantFrom(...FORMATS, '.tgz')
    let compared = 0
    await fc.assert(
      fc.asyncProperty(some, kind, fc.constantFrom<HashName>('sha1', 'sha256'), async (entries, extension, hash) => {
        const outfile = join(file, `x${extension}`)
        let dumped: DumpResult
        try {
          dumped = await dump(outfile, entries, { hash })
        } catch (error) {
          // A format cannot hold every tree.
          expect(error).to.have.property('code').that.is.oneOf(['ENOTSUP', 'ENAMETOOLONG', 'EINVAL'])
          return
        }
        const result = await restore(outfile, { hash })
        if (result.keys === 0 && extension.startsWith('.t')) return
        expect(result).to.include({ rootref: dumped.restoredRootref, isProven: true })
        compared++
      }),
      { numRuns: 150 },
    )
    expect(compared).to.be.greaterThan(100)
  })

  for (const extension of FORMATS) {
    it(`shows each of 200 flipped bytes, or the same root comes out: ${extension}`, async () => {
      const file = join(scratch(), `x${extension}`)
      const { large: _, parts: __, 'some parts': ___, ...small } = TREE
      const { restoredRootref } = await dump(file, small)
      const sound = readFileSync(file)
      const outcomes = { refused: 0, harmless: 0 }
      for (let n = 0; n < 200; n++) {
        const bytes = Buffer.from(sound)
        const at = Math.floor(((n + 0.5) / 200) * bytes.length)
        bytes[at] = (bytes[at] as number) ^ (1 << (n % 8))
        writeFileSync(file, bytes)
        try {
          expect((await restore(file)).rootref, `byte ${at}`).to.equal(restoredRootref)
          outcomes.harmless++
        } catch (error) {
          if ((error as Error).name === 'AssertionError') throw error
          expect(error, `byte ${at}`).to.have.property('code').that.is.a('string')
          outcomes.refused++
        }
      }
      expect(outcomes.refused).to.be.greaterThan(3)
    })
  }

  describe('of an archive with one bit less', () => {
    const WORD = 'a value that no checksum protects, and that is longer than an inline one is'
    async function damaged(extension = '.cpio'): Promise<string> {
      const file = join(scratch(), `x${extension}`)
      await dump(file, { a: valref(WORD), b: val('2') })
      const bytes = readFileSync(file)
      const at = bytes.indexOf(WORD)
      bytes[at + 20] = (bytes[at + 20] as number) ^ 1
      writeFileSync(file, bytes)
      return file
    }

    for (const extension of ['.tar', '.cpio', '.iso']) {
      it(`is refused before anything is committed: ${extension}`, async () => {
        const file = await damaged(extension)
        let commits = 0
        const error = await restore(file, { commit: async () => void commits++ }).catch((caught) => caught)
        expect(error).to.include({
          code: 'EBADMSG',
          hint: 'archive verify names the first key that differs from the source; --salvage restores it as it is',
        })
        expect(error.message).to.match(
          /x\.\w+: damaged: it gives sha1-[0-9a-f]{40}, but sha1-[0-9a-f]{40} is recorded in it$/,
        )
        expect(commits).to.equal(0)
        expect(await restore(file, { hash: 'sha256' }).catch((caught) => caught)).to.include({ code: 'EBADMSG' })
        expect(await archiveInfo(file).catch((caught) => caught)).to.include({ code: 'EBADMSG' })
        expect(await ArchiveStore.open(file).catch((caught) => caught)).to.include({ code: 'EBADMSG' })
      })
    }

    it('is told in a salvage, which restores it', async () => {
      const warnings: string[] = []
      const result = await restore(await damaged(), { salvage: true, onWarning: (message) => warnings.push(message) })
      expect(result).to.include({ keys: 2, lost: 1, isProven: false })
      expect(warnings).to.have.length(1)
      expect(warnings[0]).to.include('is recorded in it')
    })

    it('is not compared where only a part is restored', async () => {
      const file = await damaged()
      for (const options of [{ include: ['b'] }, { exclude: ['a'] }, { sizeLimit: 10 }]) {
        expect(await restore(file, options)).to.include({ keys: 1, isProven: false })
      }
    })
  })

  it('is not compared where another algorithm would need a second reading, and the first was of a pipe', async () => {
    const file = join(scratch(), 'x.tar')
    await dump(file, TREE)
    const fifo = join(scratch(), 'fifo')
    run('mkfifo', [fifo])
    const writer = spawn('cp', [file, fifo])
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    expect(await restore(fifo, { hash: 'sha256', onWarning })).to.include({ isProven: false })
    if (writer.exitCode === null) await once(writer, 'exit')
    expect(warnings[0]).to.equal(`${fifo}: a sha1 root is recorded in it, which was not compared`)
  })

  it('is that of the selection, when some keys were dumped', async () => {
    const file = join(scratch(), 'x.tar')
    const dumped = await dump(file, TREE, { keys: ['job.f1', 'small'] })
    const { origin, isProven, keys } = await restore(file)
    expect({ isProven, keys }).to.deep.equal({ isProven: true, keys: 4 })
    expect(origin).to.include({ isSelection: true, rootref: dumped.snapshot.rootref })
  })

  it('is that of what could be read, and the archive says how much could not', async () => {
    const blobs = new Blobs()
    const root = blobs.tree({ a: val('1'), lost: valref('gone'), z: val('2') })
    blobs.delete(new Blobs().store('gone'))
    const outfile = join(scratch(), 'x.zip')
    await new Dump({ store: new MemoryStore(blobs), outfile, root, ignoreFailedRead: true }).run()
    const { origin, isProven, keys } = await restore(outfile)
    expect({ isProven, keys, skipped: origin?.skipped }).to.deep.equal({ isProven: true, keys: 2, skipped: 1 })
  })

  it('is that of the bytes in the archive, when the store was read without a look at its blobrefs', async () => {
    const at = scratch()
    const blobs = new Blobs()
    const root = blobs.tree({ one: valref('x'.repeat(80)), large: valref(Buffer.alloc(20 << 20, 'large')) })
    for (const text of ['x'.repeat(80), Buffer.alloc(20 << 20, 'large')]) {
      const blobref = new Blobs().store(text)
      blobs.set(blobref, Buffer.from(text).fill('y'))
    }
    writeSqlite(join(at, 'content.sqlite'), blobs, [root])
    await using store = await openStore(join(at, 'content.sqlite'), { verify: false })
    await new Dump({ store, outfile: join(at, 'x.tar') }).run()
    expect(await restore(join(at, 'x.tar'))).to.include({ keys: 2, isProven: true })
  })

  it('is not recorded in a directory, which has no place for it', async () => {
    const outfile = `${join(scratch(), 'x')}/`
    expect((await dump(outfile, { a: val('1') })).restoredRootref).to.equal(undefined)
    expect(await restore(outfile)).to.include({ isProven: false, origin: undefined })
  })

  it('does not depend on how the root was found, and the archive neither', async () => {
    const dir_ = scratch()
    await using store = await openStore(fixture('checkpoints'))
    const same = { store, mtimeSeconds: 5, uid: 0, gid: 0 }
    const { snapshot } = await new Dump({ ...same, outfile: join(dir_, '1.tar') }).run()
    await new Dump({ ...same, outfile: join(dir_, '2.tar'), root: snapshot.rootref }).run()
    expect(readFileSync(join(dir_, '1.tar')).equals(readFileSync(join(dir_, '2.tar')))).to.equal(true)
  })
})
