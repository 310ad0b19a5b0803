import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { blobrefOf, type ContentStore, openStore, openStoreWriter } from '../../src/content/index.ts'
import { copyOf, expected, fixture, scratch } from '../support/fixtures.ts'
import { withEnv } from '../support/processes.ts'
import { contents, damagePage, holder, killed } from '../support/stores.ts'
import { Blobs, val, valref, writeSqlite } from '../support/trees.ts'

async function rootOf(path: string): Promise<string> {
  await using store = await openStore(path)
  const [checkpoint] = await store.checkpoints()
  const [blob] = await store.loadBatch([checkpoint?.rootref as string], 1)
  expect(blobrefOf(store.hash, blob as Uint8Array)).to.equal(checkpoint?.rootref)
  return checkpoint?.rootref as string
}

async function failure(path: string): Promise<{ code: string; message: string; hint: string }> {
  const store: ContentStore | { code: string } = await openStore(path).catch((error) => error)
  if ('close' in store) throw new Error(`${path} was opened`)
  return store as { code: string; message: string; hint: string }
}

describe('content/open-store', () => {
  it('recognises a statedir, a content.sqlite and a content.files directory by what they are', async () => {
    const basic = expected('basic').rootref
    expect(await rootOf(fixture('basic'))).to.equal(basic)
    expect(await rootOf(fixture('basic', 'content.sqlite'))).to.equal(basic)
    expect(await rootOf(fixture('files'))).to.equal(expected('files').rootref)
    expect(await rootOf(fixture('files', 'content.files'))).to.equal(expected('files').rootref)
    const dir = scratch()
    copyFileSync(fixture('basic', 'content.sqlite'), join(dir, 'backup.bin'))
    expect(await rootOf(join(dir, 'backup.bin'))).to.equal(basic)
    cpSync(fixture('files', 'content.files'), join(dir, 'blobs'), { recursive: true })
    expect(await rootOf(join(dir, 'blobs'))).to.equal(expected('files').rootref)
  })

  it('reads the layout of older releases and stores of SHA-256', async () => {
    expect(await rootOf(fixture('old-schema'))).to.equal(expected('old-schema').rootref)
    expect(await rootOf(fixture('sha256'))).to.equal(expected('sha256').rootref)
  })

  it('reads no view or virtual table in the place of a table', async () => {
    const cases: [sql: string, words: string][] = [
      ['CREATE VIEW objects AS SELECT * FROM t', 'its "objects" is a view'],
      ['CREATE VIRTUAL TABLE Objects USING fts5(hash, size, object)', 'its "objects" is a virtual table'],
      ['CREATE TABLE objects(hash PRIMARY KEY, size, object) WITHOUT ROWID', 'its "objects" is a table without rowids'],
      ['CREATE TABLE objects(hash, size, object); CREATE VIEW checkpt_v2 AS SELECT 1', 'its "checkpt_v2" is a view'],
    ]
    for (const [sql, words] of cases) {
      const path = join(scratch(), 'content.sqlite')
      const db = new DatabaseSync(path)
      db.exec(`CREATE TABLE t(hash, size, object); ${sql}`)
      db.close()
      const message = `${path}: an SQLite database, but not a Flux content store (${words}, not an ordinary table)`
      expect(await failure(path)).to.include({ code: 'EINVAL', message })
      const writing = await openStoreWriter(path).catch((error) => error)
      expect(writing).to.include({ code: 'EINVAL', message })
    }
  })

  it('lists the checkpoints newest first', async () => {
    await using store = await openStore(fixture('checkpoints'))
    const wanted = expected('checkpoints').checkpoints
    expect(wanted.length).to.equal(5)
    expect(await store.checkpoints()).to.deep.equal(
      wanted.map(({ rootref, sequence, timestamp }) => ({ rootref, sequence, timestamp })),
    )
  })

  it('refuses what is no store, in one line that names it', async () => {
    const dir = scratch()
    expect(await failure(join(dir, 'nothing'))).to.include({ code: 'ENOENT' })
    expect((await failure(dir)).message).to.match(/not a Flux content store: it has neither/)
    writeFileSync(join(dir, 'content.sqlite'), 'overwritten')
    expect((await failure(dir)).message).to.match(/: its content\.sqlite is not an SQLite database$/)
    writeFileSync(join(dir, 'text'), 'hello')
    expect((await failure(join(dir, 'text'))).message).to.equal(
      `${dir}/text: not a Flux content store: it is not an SQLite database`,
    )
    execFileSync('mkfifo', [join(dir, 'pipe')])
    for (const path of [join(dir, 'pipe'), '/dev/null']) {
      expect((await failure(path)).message).to.equal(`${path}: not a Flux content store: it is not an SQLite database`)
    }
    const other = new DatabaseSync(join(dir, 'other.sqlite'))
    other.exec('CREATE TABLE t(a)')
    other.close()
    expect((await failure(join(dir, 'other.sqlite'))).message).to.match(/it has no table "objects"/)
    cpSync(fixture('files', 'content.files'), join(dir, 'content.files'), { recursive: true })
    copyFileSync(fixture('basic', 'content.sqlite'), join(dir, 'content.sqlite'))
    expect(await failure(dir)).to.include({ code: 'EINVAL', hint: 'name the one you mean' })
  })

  it('says how large blobs are without reading them, whatever way they are kept', async () => {
    const blobs = new Blobs()
    const lengths = [0, 1, 255, 256, 5000, 200_000]
    const blobrefs = lengths.map((length) => blobs.store(Buffer.alloc(length, 'x')))
    const sqlite = join(scratch(), 'content.sqlite')
    writeSqlite(sqlite, blobs, [])
    const files = join(scratch(), 'content.files')
    mkdirSync(files)
    for (const [blobref, blob] of blobs) writeFileSync(join(files, blobref), blob)
    // More than is looked up one by one, repeated, and some that are not there.
    const absent = [`sha1-${'0'.repeat(40)}`, `sha256-${'0'.repeat(64)}`]
    const asked = Array.from({ length: 3000 }, () => [...blobrefs, ...absent]).flat()
    const wanted = Array.from({ length: 3000 }, () => [...lengths, -1, -1]).flat()
    for (const path of [sqlite, files]) {
      await using store = await openStore(path)
      expect([...(await store.onDisk.sizes(asked))]).to.deep.equal(wanted)
      expect([...(await store.onDisk.sizes([]))]).to.deep.equal([])
    }
  })

  it('says that a store has no checkpoint', async () => {
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, new Blobs(), [])
    await using store = await openStore(path)
    const error = await store.checkpoints().catch((e) => e)
    expect(error).to.include({ code: 'ENOENT', message: `${path}: no checkpoint in this store` })
  })

  it('reads a cleanly closed store without leaving anything beside it, also when its directory is not writable', async () => {
    const path = copyOf('jobs', 'content.sqlite')
    const before = contents(dirname(path))
    chmodSync(dirname(path), 0o555)
    expect(await rootOf(path)).to.equal(expected('jobs').rootref)
    chmodSync(dirname(path), 0o755)
    expect(contents(dirname(path))).to.deep.equal(before)
  })

  it('reads the write-ahead log that a crash left, and leaves the original untouched', async () => {
    const dir = join(scratch(), 'statedir')
    mkdirSync(dir)
    const path = join(dir, 'content.sqlite')
    const blobs = new Blobs()
    writeSqlite(path, blobs, [blobs.tree({ old: val('1') })], 'WAL')
    const after = new Blobs()
    const rootref = after.tree({ new: valref('x'.repeat(2000)) })
    const insert = `
      const put = db.prepare('INSERT INTO objects (hash,size,object) VALUES (CAST(? AS TEXT), -1, ?)')
      for (const [hex, text] of ${JSON.stringify([...after].map(([blobref, blob]) => [blobref.slice(5), Buffer.from(blob).toString()]))})
        put.run(Buffer.from(hex, 'hex'), Buffer.from(text))
      db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)').run('{"version":1,"rootref":"${rootref}","sequence":9,"timestamp":9.5}')`
    await killed(await holder(path, 'PRAGMA journal_mode=WAL', insert))
    const before = contents(dir)
    expect(Object.keys(before)).to.include('content.sqlite-wal')
    expect(await rootOf(dir)).to.equal(rootref)
    expect(contents(dir)).to.deep.equal(before)
    // Nor beside the statedir: the second names are gone as soon as the store is open.
    expect(readdirSync(dirname(dir))).to.deep.equal(['statedir'])
  })

  it('plays back a rollback journal that a crash left, in a copy', async () => {
    const dir = join(scratch(), 'statedir')
    mkdirSync(dir)
    const path = join(dir, 'content.sqlite')
    const blobs = new Blobs()
    const rootref = blobs.tree({ old: val('1') })
    writeSqlite(path, blobs, [rootref])
    const big = `
      db.exec('PRAGMA cache_size=1'); db.exec('BEGIN')
      db.exec("UPDATE checkpt_v2 SET value='half'")
      const put = db.prepare('INSERT INTO objects (hash,size,object) VALUES (CAST(randomblob(20) AS TEXT), -1, randomblob(3000))')
      for (let i = 0; i < 300; i++) put.run()`
    await killed(await holder(path, 'PRAGMA journal_mode=DELETE', big))
    const before = contents(dir)
    expect(Object.keys(before)).to.include('content.sqlite-journal')
    expect(await rootOf(dir)).to.equal(rootref)
    expect(contents(dir)).to.deep.equal(before)
  })

  it('says where there is no room for a copy', async function () {
    const tmp = scratch()
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', tmp]).status !== 0) this.skip()
    try {
      const dir = join(scratch(), 'statedir')
      mkdirSync(dir)
      const path = join(dir, 'content.sqlite')
      const blobs = new Blobs()
      writeSqlite(path, blobs, [blobs.tree({ a: val('1') })])
      // A rollback journal: SQLite applies it to the database, which therefore cannot be the original.
      const crash = `db.exec('PRAGMA cache_size=1'); db.exec('BEGIN'); db.exec("UPDATE checkpt_v2 SET value='half'")
        const put = db.prepare('INSERT INTO objects (hash,size,object) VALUES (CAST(randomblob(20) AS TEXT), -1, randomblob(3000))')
        for (let i = 0; i < 300; i++) put.run()`
      await killed(await holder(path, 'PRAGMA journal_mode=DELETE', crash))
      const error = await withEnv({ TMPDIR: tmp }, () => failure(path))
      expect(error.code).to.equal('ENOSPC')
      expect(error.message).to.match(
        new RegExp(
          `^${path}: has a -journal left by a crash, and reading that takes a copy of [\\d.]+ [kM]B, but ${tmp} has only 8\\.2 kB free$`,
        ),
      )
      expect(error.hint).to.equal('set TMPDIR to a directory with more room, best on the file system of the store')
    } finally {
      spawnSync('umount', [tmp])
    }
  })

  for (const [mode, pragmas] of [
    ['in WAL mode', 'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA locking_mode=EXCLUSIVE'],
    ['without a journal', 'PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE'],
  ] as const) {
    it(`refuses a store that a broker holds ${mode}, and says which process`, async function () {
      if (!existsSync('/proc/locks')) this.skip()
      const path = copyOf('basic', 'content.sqlite')
      const child = await holder(path, pragmas)
      try {
        const before = contents(dirname(path))
        const { code, message, hint } = await failure(path)
        expect(code).to.equal('EBUSY')
        expect(message).to.match(new RegExp(`^${path}: held by process ${child.pid} \\(`))
        expect(hint).to.equal('stop the instance that uses it, or dump that instance live with --uri')
        expect(contents(dirname(path))).to.deep.equal(before)
      } finally {
        await killed(child)
      }
    })
  }

  it('is not held back by another reader', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: val('1') })
    writeSqlite(path, blobs, [rootref])
    const reader = new DatabaseSync(path, { readOnly: true })
    reader.exec('BEGIN; SELECT count(*) FROM objects')
    expect(await rootOf(path)).to.equal(rootref)
    reader.close()
  })

  it('notices that the store changed while it was read', async () => {
    const path = copyOf('basic', 'content.sqlite')
    await using store = await openStore(path)
    await store.assertUnchanged()
    const db = new DatabaseSync(path)
    db.exec("INSERT INTO objects (hash,size,object) VALUES (CAST(x'0011' AS TEXT), -1, NULL)")
    db.close()
    const error = await store.assertUnchanged().catch((e) => e)
    expect(error).to.include({
      code: 'EBUSY',
      message: `${path}: changed while it was read`,
      hint: 'a broker was started on it, or somebody restores into it: try again when it is at rest, or read the instance live with --uri',
    })
  })

  it('reads on when the store is removed meanwhile', async () => {
    const path = copyOf('basic', 'content.sqlite')
    await using store = await openStore(path)
    rmSync(path)
    expect(await store.checkBatch([expected('basic').rootref])).to.deep.equal([undefined])
    await store.assertUnchanged()
  })

  it('tells a missing, an altered and an undecodable blob apart', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const small = blobs.store('small')
    const packed = blobs.store('p'.repeat(1000))
    const broken = blobs.store('q'.repeat(1000))
    const whole = blobs.store('fine')
    writeSqlite(path, blobs, [])
    const db = new DatabaseSync(path)
    const update = (sql: string, blobref: string) =>
      db.prepare(`UPDATE objects SET ${sql} WHERE hash = CAST(? AS TEXT)`).run(Buffer.from(blobref.slice(5), 'hex'))
    update("object = CAST('smurf' AS BLOB)", small)
    update('size = 999', packed)
    update("object = x'ffff'", broken)
    db.close()
    await using store = await openStore(path)
    const absent = `sha1-${'00'.repeat(20)}`
    const other = `sha256-${'00'.repeat(32)}`
    const results = await store.loadBatch([small, packed, absent, broken, whole, other, whole], 1 << 20)
    const codes = results.map((r) =>
      r instanceof Uint8Array ? Buffer.from(r).toString() : (r as { code: string }).code,
    )
    expect(codes).to.deep.equal(['EBADMSG', 'EBADMSG', 'ENOENT', 'EBADMSG', 'fine', 'ENOENT', 'fine'])
    await using trusting = await openStore(path, { verify: false })
    const [unverified] = await trusting.loadBatch([small], 1)
    expect(Buffer.from(unverified as Uint8Array).toString()).to.equal('smurf')
  })

  it('loses only what is on a damaged page', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const blobrefs = Array.from({ length: 400 }, (_, n) => blobs.store(`${n} `.repeat(40)))
    writeSqlite(path, blobs, [])
    const bytes = readFileSync(path)
    const at = bytes.indexOf('200 200 200 ')
    bytes.fill(0xff, at - (at % 4096), at - (at % 4096) + 4096)
    writeFileSync(path, bytes)
    await using store = await openStore(path)
    const results = await store.loadBatch(blobrefs, 1 << 20)
    const good = results.filter((result) => result instanceof Uint8Array).length
    expect(good).to.be.within(300, 399)
    expect(results[200]).to.have.property('code').that.is.oneOf(['EIO', 'ENOENT', 'EBADMSG'])
  })

  it('loses only the rows that the table lacks, though the index of the hashes has them', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const blobrefs = ['one', 'two', 'three'].map((text) => blobs.store(`${text} is in the table`))
    writeSqlite(path, blobs, [])
    const file = readFileSync(path)
    for (let at = 0; at < file.length; at += 4096) {
      const page = file.subarray(at, at + 4096)
      if (page[0] !== 0x0d || !page.includes('one is in the table')) continue
      // The first of its cells is forgotten: see https://sqlite.org/fileformat.html, "B-tree Pages".
      page.writeUInt16BE(page.readUInt16BE(3) - 1, 3)
      page.copyWithin(8, 10, 8 + 2 * 3)
    }
    writeFileSync(path, file)
    await using store = await openStore(path)
    const codes = (results: readonly unknown[]) => results.map((result) => (result as { code?: string })?.code)
    expect(codes(await store.loadBatch(blobrefs.slice(0, 1), 1000))).to.deep.equal(['ENOENT'])
    for (const results of [await store.loadBatch(blobrefs, 1000), await store.checkBatch(blobrefs)]) {
      expect(codes(results)).to.deep.equal(['ENOENT', undefined, undefined])
    }
  })

  it('leaves blobs beyond the budget for later on a damaged page, too', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const blobrefs = Array.from({ length: 20 }, (_, n) => blobs.store(randomBytes(100_000 + n)))
    const lost = blobs.store(Buffer.from('this one is lost'))
    writeSqlite(path, blobs, [])
    expect(damagePage(path, 'table', Buffer.from('this one is lost'))).to.equal(1)
    await using store = await openStore(path)
    const results = await store.loadBatch([...blobrefs, lost], 300_000)
    expect(results.filter((result) => result instanceof Uint8Array)).to.have.length.within(1, 4)
    expect(results.some((result) => result === undefined)).to.equal(true)
  })

  it('leaves blobs beyond the budget for later, but never all', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const blobrefs = Array.from({ length: 6 }, (_, n) => blobs.store(`${n}`.repeat(100_000)))
    writeSqlite(path, blobs, [])
    await using store = await openStore(path)
    const some = await store.loadBatch(blobrefs, 250_000)
    expect(some.filter((result) => result === undefined)).to.have.length(3)
    expect((await store.loadBatch(blobrefs, 1)).filter((result) => result instanceof Uint8Array)).to.have.length(1)
  })

  it('reads a thousand blobs and more by the index, with the same results', async () => {
    const path = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    for (let n = 0; n < 3000; n++) blobs.store(`${n}:`.repeat(n % 200))
    writeSqlite(path, blobs, [])
    await using store = await openStore(path)
    expect(store.objects).to.equal(undefined)
    const blobrefs = [...blobs.keys()]
    for (let at = 0; at < blobrefs.length; at += 500) {
      const results = await store.loadBatch(blobrefs.slice(at, at + 500), 1 << 30)
      results.forEach((result, i) =>
        expect(Buffer.from(result as Uint8Array)).to.deep.equal(blobs.get(blobrefs[at + i] as string)),
      )
    }
    expect(store.objects).to.equal(blobs.size)
  })
})
