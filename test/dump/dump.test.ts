import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { Dump, type DumpOptions, type DumpResult } from '../../src/dump/index.ts'
import { type Expected, type ExpectedEntry, expected, fixture, SOUND_CASES, scratch } from '../support/fixtures.ts'
import { Gate } from '../support/gate.ts'
import { readTar, type TarMember } from '../support/read-tar.ts'
import { Blobs, dir, MemoryStore, raw, symlink, val, valref, writeSqlite } from '../support/trees.ts'

async function dump(path: string, outfile: string, options: Partial<DumpOptions> = {}): Promise<DumpResult> {
  await using store = await openStore(path)
  return await new Dump({ store, outfile, startSeconds: 1_800_000_000, uid: 7, gid: 8, ...options }).run()
}

/** Members as `expected.json` says entries. */
function asExpected(members: readonly TarMember[]): object[] {
  return members.map(({ name, type, size, sha256, linkname }) =>
    type === '2' ? { path: name, type: 'symlink', target: linkname } : { path: name, type: 'value', size, sha256 },
  )
}

function wanted(entries: readonly ExpectedEntry[]): object[] {
  return entries.map((entry) =>
    entry.type === 'symlink'
      ? { path: entry.path, type: 'symlink', target: entry.target }
      : { path: entry.path, type: 'value', size: entry.size, sha256: entry.sha256 },
  )
}

const byPath = (a: { path?: string }, b: { path?: string }) =>
  Buffer.compare(Buffer.from(a.path ?? ''), Buffer.from(b.path ?? ''))

function expectSame(file: string, entries: Expected['entries']): void {
  expect(asExpected(readTar(file)).sort(byPath)).to.deep.equal(wanted(entries))
}

describe('dump', () => {
  for (const name of SOUND_CASES) {
    for (const extension of ['tar', 'tgz']) {
      it(`archives every value and link of the fixture ${name} as .${extension}`, async () => {
        const outfile = join(scratch(), `x.${extension}`)
        const { rootref, entries } = expected(name)
        const result = await dump(fixture(name), outfile)
        expectSame(outfile, entries)
        expect(result.snapshot.rootref).to.equal(rootref)
        expect(result.keys).to.equal(entries.length)
        expect(result.symlinks).to.equal(entries.filter(({ type }) => type === 'symlink').length)
        expect(result.bytes).to.equal(entries.reduce((sum, entry) => sum + ('size' in entry ? entry.size : 0), 0))
        expect(result.blobs).to.equal(entries.reduce((sum, entry) => sum + ('blobs' in entry ? entry.blobs : 0), 0))
      })
    }

    it(`gives the same bytes each time for the fixture ${name}`, async () => {
      const dir = scratch()
      await dump(fixture(name), join(dir, '1.tar'))
      await dump(fixture(name), join(dir, '2.tar'), { startSeconds: 5 })
      expect(readFileSync(join(dir, '1.tar')).equals(readFileSync(join(dir, '2.tar')))).to.equal(true)
    })
  }

  it('archives each of the checkpoints of a store', async () => {
    const { snapshots = [] } = expected('checkpoints')
    expect(snapshots.length).to.equal(5)
    for (const [checkpointIndex, { entries, rootref }] of snapshots.entries()) {
      const outfile = join(scratch(), 'x.tar')
      await dump(fixture('checkpoints'), outfile, { checkpointIndex })
      expectSame(outfile, entries)
      await dump(fixture('checkpoints'), outfile, { root: rootref })
      expectSame(outfile, entries)
    }
  })

  it('sets mode, owner and time of every member', async () => {
    const outfile = join(scratch(), 'x.tar')
    const { checkpoints } = expected('basic')
    await dump(fixture('basic'), outfile)
    for (const member of readTar(outfile)) {
      expect(member).to.include({ mode: 0o644, uid: 7, gid: 8, mtime: Math.floor(checkpoints[0]?.timestamp ?? 0) })
    }
    await dump(fixture('basic'), outfile, { root: expected('basic').rootref })
    for (const { mtime } of readTar(outfile)) expect(mtime).to.equal(1_800_000_000)
    await dump(fixture('basic'), outfile, { mtimeSeconds: 99 })
    for (const { mtime } of readTar(outfile)) expect(mtime).to.equal(99)
  })

  it('leaves out empty directories', async () => {
    const outfile = join(scratch(), 'x.tar')
    const { emptyDirs } = expected('basic')
    expect(emptyDirs.length).to.equal(2)
    await dump(fixture('basic'), outfile)
    const names = readTar(outfile).map(({ name }) => name)
    for (const { path } of emptyDirs) expect(names).to.not.include(path)
  })

  describe('of a damaged store', () => {
    it('stops at the first key that cannot be read, and leaves no file', async () => {
      const dir = scratch()
      const error = await dump(fixture('damaged-dangling'), join(dir, 'x.tar')).catch((e) => e)
      expect(error).to.include({ key: 'bad.dir', kind: 'missing-dir', code: 'ENOENT' })
      expect(readdirSync(dir)).to.deep.equal([])
    })

    it('archives the rest when told to, with a warning for each', async () => {
      const outfile = join(scratch(), 'x.tar')
      const warnings: string[] = []
      const result = await dump(fixture('damaged-dangling'), outfile, {
        ignoreFailedRead: true,
        onWarning: (line) => warnings.push(line),
      })
      expectSame(outfile, expected('damaged-dangling').entries)
      expect(result).to.include({ skipped: 3, skippedDirs: 1 })
      const lost = 'sha1-996324fa537cd312e564be576bafc21a3f63910d'
      expect(warnings).to.deep.equal([
        `bad.dir: could not load content: No such file or directory (${lost})`,
        `bad.half: missing blobref 1: No such file or directory (${lost})`,
        `bad.value: missing blobref 0: No such file or directory (${lost})`,
      ])
    })

    it('fails when the root is missing or nothing can be read, also when told to skip, and leaves the older archive', async () => {
      const outfile = join(scratch(), 'x.tar')
      writeFileSync(outfile, 'last good one')
      for (const lost of ['root', 'value'] as const) {
        const path = join(scratch(), 'content.sqlite')
        const blobs = new Blobs()
        const rootref = blobs.tree({ d: dir({ only: valref('the value that is lost') }) })
        writeSqlite(path, blobs, [rootref])
        const blobref = lost === 'root' ? rootref : new Blobs().store('the value that is lost')
        const db = new DatabaseSync(path)
        const digest = Buffer.from(blobref.slice('sha1-'.length), 'hex')
        expect(db.prepare('DELETE FROM objects WHERE hash = CAST(? AS TEXT)').run(digest).changes).to.equal(1)
        db.close()
        const error = await dump(path, outfile, { ignoreFailedRead: true }).catch((e) => e)
        expect(error, lost).to.have.property('code', 'ENOENT')
        expect(error.message).to.include('nothing could be read: ')
        expect(readFileSync(outfile, 'utf8')).to.equal('last good one')
      }
    })

    it('notices a blob that was altered, unless told not to look', async () => {
      const dir_ = scratch()
      const outfile = join(dir_, 'x.tar')
      const blobs = new Blobs()
      writeSqlite(join(dir_, 'content.sqlite'), blobs, [blobs.tree({ w: valref('fine ', 'value!') })])
      const db = new DatabaseSync(join(dir_, 'content.sqlite'))
      expect(
        db.prepare("UPDATE objects SET object = CAST('smurf!' AS BLOB) WHERE octet_length(object) = 6").run().changes,
      ).to.equal(1)
      db.close()
      const error = await dump(dir_, outfile).catch((e) => e)
      const blobref = new Blobs().store('value!')
      expect(error.message).to.equal(
        `w: unreadable blobref 1: altered: the stored bytes do not match the blobref (${blobref})`,
      )
      await using trusting = await openStore(dir_, { verify: false })
      await new Dump({ store: trusting, outfile, startSeconds: 1, uid: 0, gid: 0 }).run()
      expect(readFileSync(outfile).includes('fine smurf!')).to.equal(true)
    })

    it('leaves an older archive of the name as it was', async () => {
      const outfile = join(scratch(), 'x.tar')
      writeFileSync(outfile, 'last good one')
      await dump(fixture('damaged-dangling'), outfile).catch(() => {})
      expect(readFileSync(outfile, 'utf8')).to.equal('last good one')
    })
  })

  it('encodes keys that no path can say, with a warning and a record of the exact components', async () => {
    const dir_ = scratch()
    const blobs = new Blobs()
    const rootref = blobs.tree({
      guest: dir({ '../x': val('1'), 'a/b': valref('22'), 'a%2Fb': val('333'), '..': dir({ '': symlink('t') }) }),
      '\u001b[31m/': val('4'),
    })
    writeSqlite(join(dir_, 'content.sqlite'), blobs, [rootref])
    const warnings: string[] = []
    const result = await dump(dir_, join(dir_, 'x.tar'), { onWarning: (line) => warnings.push(line) })
    const members = readTar(join(dir_, 'x.tar'))
    expect(
      members.map(({ name, pax }) => [name, pax['FLUX.components'] && JSON.parse(pax['FLUX.components'])]),
    ).to.deep.equal([
      ['\u001b[31m%2F', ['\u001b[31m/']],
      ['guest/%2E%2E/%', ['guest', '..', '']],
      ['guest/..%2Fx', ['guest', '../x']],
      ['guest/a%2Fb', undefined],
      ['guest/a%2Fb%', ['guest', 'a/b']],
    ])
    expect(result.encoded).to.equal(4)
    expect(warnings[0]).to.equal('\\x1b[31m/: no path can hold this key; archived as \\x1b[31m%2F')
    expect(warnings).to.have.length(4)
  })

  it('streams a value of many megabytes', async () => {
    const dir = scratch()
    const blobs = new Blobs()
    const parts = Array.from({ length: 50 }, (_, n) => Buffer.alloc(1 << 20, `part ${n}`))
    writeSqlite(join(dir, 'content.sqlite'), blobs, [blobs.tree({ a: val('1'), big: valref(...parts), c: val('2') })])
    await dump(dir, join(dir, 'x.tgz'))
    const members = readTar(join(dir, 'x.tgz'))
    expect(members.map(({ name, size }) => [name, size])).to.deep.equal([
      ['a', 1],
      ['big', 50 << 20],
      ['c', 1],
    ])
    const whole = new Blobs('sha256').store(Buffer.concat(parts)).slice(7)
    expect(members[1]?.sha256).to.equal(whole)
  })

  it('leaves nothing behind when it is interrupted', async () => {
    const dir = scratch()
    const blobs = new Blobs()
    const store = new MemoryStore(blobs)
    const rootref = blobs.tree({ a: valref('1'), z: valref('2') })
    const controller = new AbortController()
    // Never opened: an interrupt must not wait for the store.
    const gate = new Gate()
    store.gate = gate
    const run = new Dump({
      store,
      outfile: join(dir, 'x.tar'),
      root: rootref,
      startSeconds: 1,
      uid: 0,
      gid: 0,
      signal: controller.signal,
    }).run()
    const ended = run.catch((error) => error.code)
    await gate.reached
    controller.abort()
    expect(await ended).to.equal('EINTR')
    expect(readdirSync(dir)).to.deep.equal([])
  })

  it('has the owner of the process and the time of its making, where none are given', async () => {
    const outfile = join(scratch(), 'x.tar')
    await using store = await openStore(fixture('basic'))
    const before = Math.floor(Date.now() / 1000)
    await new Dump({ store, outfile, root: expected('basic').rootref }).run()
    const after = Math.floor(Date.now() / 1000)
    for (const { uid, gid, mtime } of readTar(outfile)) {
      expect({ uid, gid }).to.deep.equal({ uid: process.getuid?.(), gid: process.getgid?.() })
      expect(mtime).to.be.within(before, after)
    }
  })

  const impossible = {
    uid: [-1, 1.5, Number.NaN, 2 ** 32 - 1, '0', null],
    gid: [-1, 1.5, Number.NaN, 2 ** 32 - 1],
    startSeconds: [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300],
    mtimeSeconds: [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300],
    checkpointIndex: [-1, 1.5, Number.NaN],
    threads: [0, 1.5, Number.NaN],
  } as Record<keyof DumpOptions, (number | null | string)[]>
  for (const [name, values] of Object.entries(impossible)) {
    it(`refuses a ${name} that cannot be one, naming it`, async () => {
      const outfile = join(scratch(), 'x.tar')
      writeFileSync(outfile, 'last good one')
      for (const value of values) {
        const error = await dump(fixture('basic'), outfile, { [name]: value }).catch((e) => e)
        expect(error, `${value}`).to.have.property('code', 'EINVAL')
        const shown = typeof value === 'string' ? `"${value}"` : value
        expect(error.message.startsWith(`${name} ${shown}: not a whole number from `), error.message).to.equal(true)
        expect(readFileSync(outfile, 'utf8')).to.equal('last good one')
      }
    })
  }

  it('dumps a link that is selected as a link, and warns', async () => {
    const blobs = new Blobs()
    const root = blobs.tree({ link: symlink('a'), a: val('1') })
    const outfile = join(scratch(), 'x.tar')
    const warnings: string[] = []
    const options = { store: new MemoryStore(blobs), outfile, root, keys: ['link'] }
    await new Dump({ ...options, onWarning: (message, kind) => warnings.push(`${message} (${kind})`) }).run()
    expect(warnings).to.deep.equal(['link: a symbolic link, dumped as such (symlink)'])
  })

  it('is run once: a second run is refused, while the first is under way and when it has ended', async () => {
    const outfile = join(scratch(), 'x.tar')
    await using store = await openStore(fixture('basic'))
    const run = new Dump({ store, outfile })
    const first = run.run()
    const refusal = {
      code: 'EALREADY',
      message: `${outfile}: this dump has been run already`,
      hint: 'make another Dump for another archive',
    }
    expect(await run.run().catch((error) => error)).to.include(refusal)
    const { keys } = await first
    expect(keys).to.equal(expected('basic').entries.length)
    expect(await run.run().catch((error) => error)).to.include(refusal)
    expect(await run.written).to.have.property('keys', keys)
    expectSame(outfile, expected('basic').entries)
  })

  describe('of nothing', () => {
    const content = {
      empty: dir({}),
      job: dir({ a: dir({ R: val('1'), eventlog: valref('22') }), b: dir({ R: val('3') }) }),
    }
    let outfile: string
    beforeEach(() => {
      outfile = join(scratch(), 'x.tar')
      writeFileSync(outfile, 'last good one')
    })
    const dumpTree = async (tree: Parameters<Blobs['tree']>[0], options: Partial<DumpOptions>, isGone = false) => {
      const blobs = new Blobs()
      const root = blobs.tree(tree)
      const store = new MemoryStore(isGone ? new Blobs() : blobs)
      return new Dump({ store, outfile, root, ...options }).run().catch((error) => error)
    }
    const expectRefused = (error: unknown, message: RegExp) => {
      expect(error).to.include({ code: 'ENOENT' })
      expect((error as Error).message).to.match(message)
      expect(readFileSync(outfile, 'utf8')).to.equal('last good one')
    }

    it('is refused when the root is gone, and failed reads are ignored', async () => {
      const error = await dumpTree(content, { ignoreFailedRead: true }, true)
      expectRefused(error, /^.+: nothing could be read: \.: could not load content: No such file or directory \(sha1-/)
      expect(error.hint).to.equal('an older checkpoint may be whole')
    })

    it('is refused when globs, a filter or keys select nothing of what there is', async () => {
      const unselected = /: nothing in it is selected$/
      expectRefused(await dumpTree(content, { include: ['nope/**'] }), unselected)
      expectRefused(await dumpTree(content, { exclude: ['**'] }), unselected)
      expectRefused(await dumpTree(content, { filter: () => false }), unselected)
      expectRefused(await dumpTree(content, { keys: ['job.a'], include: ['job/b'] }), unselected)
      expectRefused(await dumpTree(content, { keys: ['empty'] }), /^empty: no value and no link there$/)
    })

    it('is done when the snapshot is empty in truth, whatever is selected', async () => {
      for (const tree of [{}, { empty: dir({}) }]) {
        for (const options of [{}, { exclude: ['x'] }, { filter: () => true }, { keys: ['.'] }]) {
          writeFileSync(outfile, 'last good one')
          expect(await dumpTree(tree, options)).to.include({ keys: 0, skipped: 0 })
          expect(readTar(outfile)).to.deep.equal([])
        }
      }
    })

    it('is not what a filter leaves: it is asked about each value and link by its path', async () => {
      const asked: string[] = []
      const filter = (path: string) => asked.push(path) > 0 && path.endsWith('/R')
      expect(await dumpTree(content, { filter, exclude: ['job/b'] })).to.include({ keys: 1 })
      expect(asked).to.deep.equal(['job/a/R', 'job/a/eventlog'])
      expect(readTar(outfile).map(({ name }) => name)).to.deep.equal(['job/a/R'])
    })
  })

  it('says what could not be written, not that the walk was stopped for it', async () => {
    const error = await dump(fixture('basic'), '/dev/full/x.tar').catch((e) => e)
    expect(error).to.include({ code: 'ENOTDIR', message: 'cannot write /dev/full/x.tar: Not a directory' })
  })

  it('settles its phases one after another, and all of them when one fails', async () => {
    const outfile = join(scratch(), 'x.tar')
    await using store = await openStore(fixture('damaged-dangling'))
    const options = { store, outfile, startSeconds: 1, uid: 0, gid: 0 }
    const good = new Dump({ ...options, ignoreFailedRead: true })
    const order: string[] = []
    const watching = [
      good.resolved.then(() => order.push('resolved')),
      good.walked.then(() => order.push('walked')),
      good.written.then(() => order.push('written')),
    ]
    await good.run()
    await Promise.all(watching)
    expect(order).to.deep.equal(['resolved', 'walked', 'written'])
    const bad = new Dump({ ...options, checkpointIndex: 9 })
    const failure = await bad.run().catch((error) => error)
    for (const phase of [bad.resolved, bad.walked, bad.written])
      expect(await phase.catch((error) => error)).to.equal(failure)
  })

  it('encodes a NUL in the target of a link, and keeps the exact target in a record', async () => {
    const dir = scratch()
    const blobs = new Blobs()
    writeSqlite(join(dir, 'content.sqlite'), blobs, [
      blobs.tree({ l: raw('symlink', { target: 'a\0b', namespace: 'n' }) }),
    ])
    await dump(dir, join(dir, 'x.tar'))
    const [member] = readTar(join(dir, 'x.tar'))
    expect(member).to.include({ linkname: 'n::a%00b' })
    expect(member?.pax).to.include({ 'FLUX.linkname': '"n::a\\u0000b"' })
  })
})
