import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type ContentWriter, HashingWriter } from '../../src/content/index.ts'
import { Dump } from '../../src/dump/index.ts'
import { Restore, type RestoredRoot, type RestoreOptions, type RestoreResult } from '../../src/restore/index.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { run } from '../support/processes.ts'
import { readTar } from '../support/read-tar.ts'
import { Blobs, dir, MemoryStore, symlink, val, valref } from '../support/trees.ts'

interface Outcome {
  result: RestoreResult | undefined
  error: (Error & { code?: string }) | undefined
  commits: RestoredRoot[]
  warnings: string[]
  members: string[]
}

/** Restore an archive without storing anything. */
async function restore(infile: string, options: Partial<RestoreOptions> = {}): Promise<Outcome> {
  const commits: RestoredRoot[] = []
  const warnings: string[] = []
  const members: string[] = []
  const all = {
    infile,
    writer: new HashingWriter('sha1'),
    commit: async (root: RestoredRoot) => void commits.push(root),
    nowSeconds: 1_800_000_000.5,
    onWarning: (message: string) => warnings.push(message),
    onMembers: (lines: readonly string[]) => members.push(...lines),
    ...options,
  }
  const outcome = { commits, warnings, members }
  try {
    return { ...outcome, result: await new Restore(all).run(), error: undefined }
  } catch (error) {
    return { ...outcome, result: undefined, error: error as Error }
  }
}

/** A tar of files in a scratch directory, made by GNU tar. */
function tarOf(files: Record<string, string>, options: string[] = []): string {
  const root = scratch()
  mkdirSync(join(root, 'in'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, 'in', name, '..'), { recursive: true })
    writeFileSync(join(root, 'in', name), text)
  }
  run('tar', [
    '-C',
    join(root, 'in'),
    '--sort=name',
    '--mtime=@1700000000',
    ...options,
    '-cf',
    join(root, 'x.tar'),
    '.',
  ])
  return join(root, 'x.tar')
}

/** A tar by Python's tarfile: a list of members as keyword arguments of TarInfo, with `data`. */
function pythonTar(members: Record<string, unknown>[]): string {
  const file = join(scratch(), 'x.tar')
  const script = `
import sys, json, tarfile, io
with tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT) as tar:
    for m in json.load(sys.stdin):
        data = m.pop('data', '').encode()
        info = tarfile.TarInfo(m.pop('name'))
        info.size = len(data)
        for k, v in m.items():
            setattr(info, k, v.encode() if k == 'type' else v)
        tar.addfile(info, io.BytesIO(data))
`
  run('python3', ['-c', script, file], Buffer.from(JSON.stringify(members)))
  return file
}

const EMPTY_DIR = 'sha1-c0a9faf907dda6216fd73bf81d0b3b21a1a8cb91'

describe('restore/restore', () => {
  describe('gives the root that flux restore gives to', () => {
    for (const name of [
      'archives',
      'archives-cpio',
      'basic',
      'checkpoints',
      'damaged-dangling',
      'files',
      'jobs',
      'old-schema',
      'sha256',
      'values',
    ]) {
      const restored = JSON.parse(readFileSync(fixture(name, 'restored.json'), 'utf8')) as Record<
        string,
        Record<string, { rootref?: string }>
      >
      for (const [file, outcomes] of Object.entries(restored)) {
        const rootref = outcomes.sha1?.rootref
        if (rootref === undefined || file.endsWith('.7z') || !existsSync(fixture(name, file))) continue
        it(`${name}/${file}`, async () => {
          expect((await restore(fixture(name, file))).result?.rootref).to.equal(rootref)
        })
      }
    }
  })

  it('keeps names as they were, where flux restore recomposes them', async () => {
    const blobs = new Blobs()
    const storeBatch = (batch: readonly Uint8Array[]) => ({
      blobrefs: batch.map((blob) => blobs.store(blob)),
      stored: Promise.resolve(),
      room: Promise.resolve(),
    })
    const { result } = await restore(fixture('names', 'dump.tar'), { writer: { hash: 'sha1', storeBatch } })
    const outfile = join(scratch(), 'again.tar')
    const root = result?.rootref
    await new Dump({ store: new MemoryStore(blobs), outfile, root, startSeconds: 5, uid: 0, gid: 0 }).run()
    expect(readTar(outfile).map(({ name }) => name)).to.have.members(expected('names').entries.map(({ path }) => path))
  })

  it('uses the algorithm of the store', async () => {
    const { result } = await restore(fixture('sha256', 'dump.tar'), { writer: new HashingWriter('sha256') })
    // Two directories of it are empty, which no archive holds.
    expect(result?.rootref).to.match(/^sha256-[0-9a-f]{64}$/)
  })

  it('keeps values below 72 bytes in their directory, and puts larger ones into one blob each', async () => {
    const [small, large] = ['x'.repeat(71), 'x'.repeat(72)]
    const { result } = await restore(tarOf({ small, large, empty: '' }))
    expect(result?.rootref).to.equal(new Blobs().tree({ empty: val(''), large: valref(large), small: val(small) }))
    expect(result).to.include({ keys: 3, blobs: 2, bytes: 143 })
  })

  it('puts a value that comes piece by piece into one blob', async () => {
    const big = 'abcdefgh'.repeat(400_000)
    const { result } = await restore(tarOf({ 'd/big': big, 'd/tail': 't' }))
    expect(result?.rootref).to.equal(new Blobs().tree({ d: dir({ big: valref(big), tail: val('t') }) }))
  })

  it('does not look at directories, and drops the ./ that tar puts before names', async () => {
    const file = tarOf({ 'a/b': '1' })
    expect(run('tar', ['-tf', file]).toString()).to.equal('./\n./a/\n./a/b\n')
    expect((await restore(file)).result?.rootref).to.equal(new Blobs().tree({ a: dir({ b: val('1') }) }))
  })

  it('takes the namespace of a link from what stands before the first ::', async () => {
    const file = pythonTar([
      { name: 'plain', type: '2', linkname: 'a.b' },
      { name: 'other', type: '2', linkname: 'ns::a::b' },
      { name: 'nameless', type: '2', linkname: '::b' },
    ])
    const { result, members } = await restore(file)
    expect(result?.rootref).to.equal(
      new Blobs().tree({ nameless: symlink('b', ''), other: symlink('a::b', 'ns'), plain: symlink('a.b') }),
    )
    expect(result).to.include({ keys: 3, symlinks: 3, blobs: 1 })
    expect(members).to.deep.equal(['plain -> a.b', 'other -> ns::a::b', 'nameless -> ::b'])
  })

  it('makes a hard link another key of the same value', async () => {
    const root = scratch()
    mkdirSync(join(root, 'in'))
    writeFileSync(join(root, 'in/a'), 'x'.repeat(500))
    linkSync(join(root, 'in/a'), join(root, 'in/b'))
    run('tar', ['-C', join(root, 'in'), '--sort=name', '-cf', join(root, 'x.tar'), 'a', 'b'])
    const { result } = await restore(join(root, 'x.tar'))
    expect(result?.rootref).to.equal(new Blobs().tree({ a: valref('x'.repeat(500)), b: valref('x'.repeat(500)) }))
    const dangling = await restore(pythonTar([{ name: 'b', type: '1', linkname: 'gone' }]))
    expect(dangling.error?.message).to.equal('b: a hard link to gone, which is not restored')
  })

  it('refuses what a KVS cannot hold, by name, unless it is left out', async () => {
    const file = pythonTar([
      { name: 'a', data: '1' },
      { name: 'd/pipe', type: '6' },
      { name: 'd/tty', type: '3' },
    ])
    const { error, commits } = await restore(file)
    expect(error?.message).to.equal('d/pipe: a fifo, which a KVS cannot hold')
    expect(commits).to.deep.equal([])
    const { result } = await restore(file, { exclude: ['d'] })
    expect(result).to.include({ keys: 1, deselected: 2, rootref: new Blobs().tree({ a: val('1') }) })
  })

  it('lets the last of two members of a name count, with a warning', async () => {
    const { result, warnings } = await restore(
      pythonTar([
        { name: 'a', data: '1' },
        { name: 'a', data: '2' },
      ]),
    )
    expect(result).to.include({ keys: 1, rootref: new Blobs().tree({ a: val('2') }) })
    expect(warnings).to.deep.equal(['a: appears twice; the last one counts'])
  })

  it('counts only the last of two members of a name', async () => {
    const large = 'x'.repeat(500)
    const { result } = await restore(
      pythonTar([
        { name: 'a', data: large },
        { name: 'a', data: 'two' },
        { name: 'link', type: '2', linkname: 'a' },
        { name: 'link', type: '2', linkname: 'b' },
        { name: 'was', type: '2', linkname: 'a' },
        { name: 'was', data: large },
        { name: 'is', data: large },
        { name: 'is', type: '2', linkname: 'a' },
      ]),
    )
    expect(result).to.include({ keys: 4, symlinks: 2, bytes: 503 })
  })

  it('counts a hard link as what it links to', async () => {
    const { result } = await restore(
      pythonTar([
        { name: 'a', data: 'x'.repeat(500) },
        { name: 'b', type: '1', linkname: 'a' },
        { name: 'c', type: '2', linkname: 'a' },
        { name: 'd', type: '1', linkname: 'c' },
      ]),
    )
    expect(result).to.include({ keys: 4, symlinks: 2, bytes: 1000 })
  })

  it('finds what a hard link names by its path, where its key is in a record', async () => {
    const components = (...names: string[]) => ({ 'FLUX.components': JSON.stringify(names) })
    const members = [
      { name: 'd/a%2Fb', data: '1', pax_headers: components('d', 'a/b') },
      { name: 'd/plain', type: '1', linkname: 'd/a%2Fb' },
      { name: 'd/c%2Fd', type: '1', linkname: 'd/plain', pax_headers: components('d', 'c/d') },
      { name: 'd/last', type: '1', linkname: 'd/c%2Fd' },
    ]
    const tree = { 'a/b': val('1'), 'c/d': val('1'), last: val('1'), plain: val('1') }
    const whole = await restore(pythonTar(members))
    expect(whole.error).to.equal(undefined)
    expect(whole.result?.rootref).to.equal(new Blobs().tree({ d: dir(tree) }))
    const stripped = await restore(pythonTar(members), { strip: 'd' })
    expect(stripped.result?.rootref).to.equal(new Blobs().tree(tree))
    // A later member of that path has another key.
    const again = { name: 'd/a%2Fb', data: '2' }
    const { result } = await restore(pythonTar([members[0] ?? {}, again, members[1] ?? {}]))
    expect(result?.rootref).to.equal(
      new Blobs().tree({ d: dir({ 'a/b': val('1'), 'a%2Fb': val('2'), plain: val('2') }) }),
    )
  })

  it('commits nothing when a key is both value and directory', async () => {
    for (const names of [
      ['a', 'a/b'],
      ['a/b', 'a'],
    ]) {
      const { error, commits } = await restore(pythonTar(names.map((name) => ({ name, data: '1' }))))
      expect(error?.message).to.match(/^a(\/b)?: .* elsewhere in the archive/)
      expect(commits).to.deep.equal([])
    }
  })

  it('commits nothing from a file of 0 bytes', async () => {
    const empty = join(scratch(), 'empty.tar')
    writeFileSync(empty, '')
    const { error, commits } = await restore(empty, { allowEmpty: true })
    expect(error).to.include({ code: 'EBADMSG' })
    expect(commits).to.deep.equal([])
  })

  it('commits nothing from an archive without keys, unless that is allowed', async () => {
    const ends = join(scratch(), 'ends.tar')
    writeFileSync(ends, Buffer.alloc(1024))
    for (const archive of [ends, tarOf({})]) {
      const { error, commits } = await restore(archive)
      expect(error).to.include({ code: 'ENOENT', message: `${archive}: holds no keys` })
      expect(commits).to.deep.equal([])
      const { result, warnings } = await restore(archive, { allowEmpty: true })
      expect(result).to.include({ keys: 0, rootref: EMPTY_DIR })
      expect(warnings).to.deep.equal([`${archive}: holds no keys: the KVS will be empty`])
    }
  })

  it('commits nothing when the size limit leaves nothing, unless that is allowed', async () => {
    const archive = tarOf({ a: 'longer than that' })
    const { error, commits } = await restore(archive, { sizeLimit: 3 })
    expect(error).to.include({ code: 'ENOENT', message: `${archive}: all values in it exceed the size limit` })
    expect(commits).to.deep.equal([])
    const { result } = await restore(archive, { sizeLimit: 3, allowEmpty: true })
    expect(result).to.include({ keys: 0, skipped: 1, rootref: EMPTY_DIR })
  })

  it('commits nothing of an archive that is cut short', async () => {
    const whole = readFileSync(fixture('basic', 'dump.tar'))
    const file = join(scratch(), 'cut.tar')
    writeFileSync(file, whole.subarray(0, whole.length - 1500))
    const { error, commits } = await restore(file)
    expect(error).to.include({ code: 'EBADMSG' })
    expect(commits).to.deep.equal([])
  })

  it('counts components with a dot, which no lookup can reach', async () => {
    const { result, warnings } = await restore(tarOf({ 'a.b/c': '1', 'd/e.f': '2', g: '3' }))
    expect(result?.rootref).to.equal(
      new Blobs().tree({ 'a.b': dir({ c: val('1') }), d: dir({ 'e.f': val('2') }), g: val('3') }),
    )
    expect(warnings).to.deep.equal(['2 keys have a dot within a component, where no KVS lookup can reach it'])
    expect((await restore(tarOf({ 'a.b': '1' }))).warnings).to.deep.equal([
      '1 key has a dot within a component, where no KVS lookup can reach it',
    ])
  })

  for (const extension of ['tar', 'iso']) {
    it(`brings back the exact components of keys that no path can say, from .${extension}`, async () => {
      const blobs = new Blobs()
      const odd = dir({ '..': val('1'), '': val('2'), 'a/b': val('3'), 'a%2Fb': val('4'), plain: symlink('x') })
      const long = dir({ ['x/'.repeat(200)]: symlink('y'.repeat(300)) })
      const rootref = blobs.tree({ odd, long, '..': dir({ inner: val('5') }) })
      const outfile = join(scratch(), `odd.${extension}`)
      await new Dump({ store: new MemoryStore(blobs), outfile, root: rootref, startSeconds: 5, uid: 0, gid: 0 }).run()
      expect((await restore(outfile)).result?.rootref).to.equal(rootref)
    })
  }

  it('refuses a damaged record of components, and a NUL', async () => {
    const record = async (value: string) =>
      (await restore(pythonTar([{ name: 'a', data: '1', pax_headers: { 'FLUX.components': value } }]))).error?.message
    expect(await record('nonsense')).to.equal('a: its FLUX.components record is damaged')
    expect(await record('[]')).to.equal('a: its FLUX.components record is damaged')
    expect(await record('[1]')).to.equal('a: its FLUX.components record is damaged')
    expect(await record('["\\ud800"]')).to.equal('a: its FLUX.components record is damaged')
    expect(await record('["a\\u0000b"]')).to.equal('a: its key holds a NUL, which Flux cannot store')
  })

  it('skips values over the size limit, in the words of the C tool', async () => {
    const { result, warnings } = await restore(tarOf({ big: 'x'.repeat(1000), fits: 'x'.repeat(100) }), {
      sizeLimit: 100,
    })
    expect(warnings).to.deep.equal(['big size 1000 exceeds 100 limit, skipping'])
    expect(result).to.include({ keys: 1, skipped: 1 })
  })

  describe('selection', () => {
    const file = () => tarOf({ 'job/1/R': 'r', 'job/1/eventlog': 'e', 'job/2/R': 'r', 'resource/R': 'r', top: 't' })
    const select = async (options: Partial<RestoreOptions>) => {
      const { members, error } = await restore(file(), options)
      return error ? error.message : members.toSorted()
    }

    it('takes what matches a glob and what is below, and leaves out what is excluded', async () => {
      expect(await select({ include: ['job'] })).to.deep.equal(['job/1/R', 'job/1/eventlog', 'job/2/R'])
      expect(await select({ include: ['job/*/R', 'top'] })).to.deep.equal(['job/1/R', 'job/2/R', 'top'])
      expect(await select({ include: ['**/R'], exclude: ['job/2'] })).to.deep.equal(['job/1/R', 'resource/R'])
    })

    it('commits nothing when globs leave nothing, rather than an empty KVS', async () => {
      for (const options of [{ include: ['jobs'] }, { exclude: ['job', 'resource', 'top'] }]) {
        const { error, commits } = await restore(file(), options)
        expect(error?.message).to.match(/x\.tar: nothing in it matches the globs$/)
        expect(commits).to.deep.equal([])
        expect((await restore(file(), { ...options, allowEmpty: true })).result?.rootref).to.equal(EMPTY_DIR)
      }
    })

    it('strips a leading path, and refuses what is not below it', async () => {
      const { result } = await restore(file(), { include: ['job/1'], strip: 'job/1/' })
      expect(result?.rootref).to.equal(new Blobs().tree({ R: val('r'), eventlog: val('e') }))
      expect((await restore(file(), { strip: 'job' })).error).to.include({
        code: 'EINVAL',
        message: 'resource/R: not below job',
        hint: "leave it out with --exclude, or the rest with --include 'job'",
      })
    })
  })

  it('has the time of its newest member, or now when none has one', async () => {
    const timed = pythonTar([
      { name: 'a', mtime: 1_500_000_000.75 },
      { name: 'b', mtime: 1_400_000_000 },
    ])
    expect((await restore(timed)).commits[0]?.timestamp).to.equal(1_500_000_000)
    const timeless = pythonTar([{ name: 'a', mtime: 0 }])
    expect((await restore(timeless)).commits[0]?.timestamp).to.equal(1_800_000_000)
  })

  it('restores a directory', async () => {
    const root = scratch()
    mkdirSync(join(root, 'a'))
    writeFileSync(join(root, 'a/b'), '1')
    symlinkSync('x.y', join(root, 'link'))
    const { result } = await restore(root)
    expect(result).to.include({
      format: 'directory',
      rootref: new Blobs().tree({ a: dir({ b: val('1') }), link: symlink('x.y') }),
    })
  })

  it('commits nothing when the store fails, and says what it said', async () => {
    const hashing = new HashingWriter('sha1')
    const writer: Pick<ContentWriter, 'hash' | 'storeBatch'> = {
      hash: 'sha1',
      storeBatch: (blobs) => ({ ...hashing.storeBatch(blobs), stored: Promise.reject(new Error('no space')) }),
    }
    const { error, commits } = await restore(fixture('jobs', 'dump.tgz'), { writer })
    expect(error?.message).to.equal('no space')
    expect(commits).to.deep.equal([])
  })

  it('commits when all is stored, whatever the store answers first, and gives it more only when it has room', async () => {
    const hashing = new HashingWriter('sha1')
    let n = 0
    let underWay = 0
    let most = 0
    let last = Promise.resolve()
    const writer: Pick<ContentWriter, 'hash' | 'storeBatch'> = {
      hash: 'sha1',
      storeBatch: (blobs) => {
        const wait = async () => {
          most = Math.max(most, ++underWay)
          for (let turns = ((n++ * 7) % 5) * 100; turns > 0; turns--) await new Promise(setImmediate)
          underWay--
        }
        const before = last
        last = wait()
        return { ...hashing.storeBatch(blobs), stored: last, room: before }
      },
    }
    const commit = async () => {
      expect(underWay).to.equal(0)
    }
    const files = [1, 2, 3, 4, 5, 6].map((n) => [`f${n}`, String(n).repeat(900_000)])
    const file = tarOf(Object.fromEntries(files))
    const { result } = await restore(file, { writer, commit })
    expect(result?.rootref).to.equal((await restore(file)).result?.rootref)
    expect(n).to.be.above(3)
    expect(most).to.be.at.most(2)
  })

  it('refuses a size limit or a time that cannot be one, naming it', async () => {
    for (const sizeLimit of [-1, 1.5, Number.NaN]) {
      const { error, commits } = await restore(fixture('jobs', 'dump.tgz'), { sizeLimit })
      expect(error).to.include({ code: 'EINVAL' })
      expect(error?.message).to.match(new RegExp(`^sizeLimit ${sizeLimit}: not a whole number`))
      expect(commits).to.deep.equal([])
    }
    for (const nowSeconds of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const { error } = await restore(fixture('jobs', 'dump.tgz'), { nowSeconds })
      const message = `nowSeconds ${nowSeconds}: not a number of seconds since 1970`
      expect(error).to.include({ code: 'EINVAL', message })
    }
  })

  it('gives a root the time of its own making when neither a member nor the caller has one', async () => {
    const before = Math.floor(Date.now() / 1000)
    const { result } = await restore(tarOf({ a: '1' }, ['--mtime=@0']), { nowSeconds: undefined })
    expect(result?.timestamp).to.be.within(before, Math.floor(Date.now() / 1000))
  })

  it('is run once: a second run is refused, while the first is under way and when it has ended', async () => {
    const commits: RestoredRoot[] = []
    const infile = fixture('jobs', 'dump.tgz')
    const commit = async (root: RestoredRoot) => void commits.push(root)
    const once = new Restore({ infile, writer: new HashingWriter('sha1'), commit })
    const first = once.run()
    const refusal = {
      code: 'EALREADY',
      message: `${infile}: this restore has been run already`,
      hint: 'make another Restore for another run',
    }
    expect(await once.run().catch((error) => error)).to.include(refusal)
    const { keys } = await first
    expect(await once.run().catch((error) => error)).to.include(refusal)
    expect(once.progress.keys).to.equal(keys)
    expect(keys).to.equal(expected('jobs').entries.length)
    expect(commits).to.have.length(1)
  })

  it('stops when its signal is aborted', async () => {
    const { error, commits } = await restore(fixture('jobs', 'dump.tgz'), { signal: AbortSignal.abort() })
    expect(error).to.include({ code: 'EINTR' })
    expect(commits).to.deep.equal([])
  })
})
