import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { blobrefOf, type OpenStoreOptions, openStore } from '../../src/content/index.ts'
import { fsck } from '../../src/inspect/index.ts'
import { Compaction, type CompactionOptions, type CompactionResult } from '../../src/transfer/index.ts'
import { copyOf, expected, fixture, SOUND_CASES, scratch } from '../support/fixtures.ts'
import { contents, holder, killed } from '../support/stores.ts'
import { Blobs, dir, symlink, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

type Options = Partial<CompactionOptions> & OpenStoreOptions

async function compact(path: string, output: string | undefined, options: Options = {}): Promise<CompactionResult> {
  await using store = await openStore(path, options)
  return await new Compaction({ store, output, ...options }).run()
}

function failure(path: string, output: string | undefined, options: Options = {}): Promise<Error> {
  return compact(path, output, options).then(
    () => {
      throw new Error('it did not fail')
    },
    (error) => error,
  )
}

/** All rows of the blobs, by their blobref. */
function rowsOf(path: string, hash = 'sha1'): Map<string, object> {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = db
    .prepare(`SELECT lower(hex(hash)) AS hex, typeof(hash) AS type, size, hex(object) AS object, epoch FROM objects`)
    .all()
  db.close()
  return new Map(rows.map(({ hex, ...row }) => [`${hash}-${hex}`, { ...row }]))
}

function query(path: string, sql: string): object[] {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = db.prepare(sql).all()
  db.close()
  return rows.map((row) => ({ ...row }))
}

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

const LONG = 'a value that is long enough to be compressed, '.repeat(20)
const TREES: Record<string, Tree>[] = [
  { a: valref('one'), job: dir({ x: valref(LONG, 'two'), none: dir({}) }), link: symlink('a', 'other') },
  { a: valref('one'), job: dir({ x: valref('an older one'), y: val('inline') }) },
  { old: valref('the oldest') },
]

interface Made {
  path: string
  dir: string
  rootrefs: string[]
  /** What the checkpoints reach: of each, the blobs that those before do not. */
  kept: string[][]
  garbage: string[]
}

/** A store with three checkpoints, and much that none of them reaches. */
function made(journal = 'DELETE'): Made {
  const state = scratch()
  const path = join(state, 'content.sqlite')
  const all = new Blobs()
  const kept: string[][] = []
  const rootrefs = TREES.map((tree) => {
    const blobs = new Blobs()
    const rootref = blobs.tree(tree)
    kept.push([...blobs.keys()].filter((blobref) => !all.has(blobref)))
    for (const [blobref, blob] of blobs) all.set(blobref, blob)
    return rootref
  })
  const lost = new Blobs()
  for (let i = 0; i < 100; i++) lost.tree({ [`lost${i}`]: valref(`garbage ${i}, ${LONG}`) })
  // Between the others, as in a store that has been used for long.
  const mixed = new Blobs()
  const left = [...lost]
  for (const entry of all) {
    for (const [blobref, blob] of left.splice(0, 20)) mixed.set(blobref, blob)
    mixed.set(...entry)
  }
  for (const [blobref, blob] of left) mixed.set(blobref, blob)
  writeSqlite(path, mixed, rootrefs, journal)
  return { path, dir: state, rootrefs, kept, garbage: [...lost.keys()] }
}

describe('transfer/compaction', () => {
  it('keeps exactly what the checkpoints reach, as it is stored', async () => {
    const { path, dir, rootrefs, kept, garbage } = made()
    change(path, `UPDATE objects SET epoch = rowid % 4; UPDATE sqlite_sequence SET seq = 17`)
    const before = contents(dir)
    const output = join(scratch(), 'new.sqlite')
    const result = await compact(dir, output)
    const old = rowsOf(path)
    expect(rowsOf(output)).to.deep.equal(new Map(kept.flat().map((blobref) => [blobref, old.get(blobref)])))
    for (const table of ['checkpt_v2', 'sqlite_sequence']) {
      expect(query(output, `SELECT * FROM ${table}`)).to.deep.equal(query(path, `SELECT * FROM ${table}`))
    }
    expect(query(output, 'PRAGMA integrity_check')).to.deep.equal([{ integrity_check: 'ok' }])
    expect(contents(dir)).to.deep.equal(before)
    expect(result).to.include({
      output,
      blobs: kept.flat().length,
      storeBlobs: kept.flat().length + garbage.length,
      fileBytes: statSync(path).size,
      outputBytes: statSync(output).size,
    })
    expect(result.checkpoints.map(({ rootref }) => rootref)).to.deep.equal(rootrefs)
    expect(result.neededBytes).to.be.at.least(statSync(output).size)
    await using store = await openStore(output)
    expect((await fsck(store, { all: true })).errors).to.equal(0)
  })

  it('keeps only the newest checkpoints, with their ids', async () => {
    const { path, kept, rootrefs } = made()
    const output = join(scratch(), 'new.sqlite')
    expect((await compact(path, output, { keepCheckpoints: 2 })).checkpoints).to.have.length(2)
    expect([...rowsOf(output).keys()].sort()).to.deep.equal([...kept.slice(0, 2)].flat().sort())
    const newest = query(path, 'SELECT * FROM checkpt_v2 WHERE id > 1')
    expect(query(output, 'SELECT * FROM checkpt_v2')).to.deep.equal(newest)
    // As many as there are.
    expect((await compact(path, undefined, { keepCheckpoints: 9, dryRun: true })).checkpoints).to.have.length(
      rootrefs.length,
    )
  })

  it('gives no id a second time, even when newer checkpoints were deleted', async () => {
    const { path } = made()
    change(path, 'DELETE FROM checkpt_v2 WHERE id = 3')
    const output = join(scratch(), 'new.sqlite')
    await compact(path, output)
    change(output, `INSERT INTO checkpt_v2 (value) VALUES ('x')`)
    expect(query(output, 'SELECT max(id) AS id FROM checkpt_v2')).to.deep.equal([{ id: 4 }])
  })

  it('keeps the blob of the empty directory, which Flux takes for granted', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: val('1') })
    const empty = blobs.store('{"data":{},"type":"dir","ver":1}')
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, blobs, [rootref])
    const output = join(scratch(), 'new.sqlite')
    await compact(path, output)
    expect([...rowsOf(output).keys()]).to.have.members([rootref, empty])
  })

  it('keeps the namespaces of running jobs, and warns when one is not whole', async () => {
    const blobs = new Blobs()
    const guest = blobs.tree({ output: valref('of a running job') })
    const guestBlobs = [...blobs.keys()]
    const gone = `sha1-${'1'.repeat(40)}`
    const value = JSON.stringify([
      { id: 1234567, owner: 1000, kvsroot: guest },
      { id: 99, owner: 1000, kvsroot: gone },
    ])
    const rootref = blobs.tree({ 'job-exec': dir({ 'kvs-namespaces': val(value) }) })
    const kept = [...blobs.keys()]
    blobs.store('garbage')
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, blobs, [rootref])
    const output = join(scratch(), 'new.sqlite')
    const warnings: string[] = []
    await compact(path, output, { onWarning: (message) => warnings.push(message) })
    expect([...rowsOf(output).keys()])
      .to.have.members(kept)
      .and.include.members(guestBlobs)
    expect(warnings).to.deep.equal([`the namespace of job ƒ2i (${gone}) lacks 1 blob`])
  })

  for (const name of SOUND_CASES.filter((name) => name !== 'files')) {
    it(`compacts what a real Flux wrote: ${name}`, async () => {
      const output = join(scratch(), 'new.sqlite')
      await compact(fixture(name), output)
      await using store = await openStore(output)
      await using old = await openStore(fixture(name))
      expect(await store.checkpoints()).to.deep.equal(await old.checkpoints())
      expect(store.hash).to.equal(expected(name).hash)
      expect((await fsck(store, { all: true })).errors).to.equal(0)
    })
  }

  it('updates an old schema, as Flux does when it opens it', async () => {
    const output = join(scratch(), 'new.sqlite')
    await compact(fixture('old-schema'), output)
    expect(query(output, `SELECT name FROM sqlite_schema WHERE type = 'table'`)).to.deep.equal(
      ['objects', 'checkpt_v2', 'sqlite_sequence'].map((name) => ({ name })),
    )
    expect(query(output, 'SELECT DISTINCT epoch FROM objects')).to.deep.equal([{ epoch: 0 }])
  })

  it('keeps page size and numbers in the header', async () => {
    const { path, kept } = made()
    change(path, 'PRAGMA page_size = 1024; PRAGMA user_version = 7; PRAGMA application_id = 8; VACUUM')
    const output = join(scratch(), 'new.sqlite')
    await compact(path, output)
    for (const [name, value] of Object.entries({ page_size: 1024, user_version: 7, application_id: 8 })) {
      expect(query(output, `PRAGMA ${name}`)).to.deep.equal([{ [name]: value }])
    }
    expect(rowsOf(output).size).to.equal(kept.flat().length)
  })

  it('reads what a crash left in a write-ahead log, and leaves it there', async () => {
    const { path, dir, kept } = made('WAL')
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: valref('newest') })
    const child = await holder(
      path,
      'PRAGMA wal_autocheckpoint=0',
      [...blobs]
        .map(([blobref, blob]) => {
          const values = `CAST(x'${blobref.slice(5)}' AS TEXT), -1, x'${Buffer.from(blob).toString('hex')}'`
          return `db.exec("INSERT INTO objects (hash,size,object) VALUES (${values})")`
        })
        .concat(
          `db.exec("INSERT INTO checkpt_v2 (value) VALUES ('" + JSON.stringify({version:1,rootref:'${rootref}',sequence:9,timestamp:1.5}) + "')")`,
        )
        .join('\n'),
    )
    await killed(child)
    expect(statSync(`${path}-wal`).size).to.be.greaterThan(0)
    const before = contents(dir)
    const output = join(scratch(), 'new.sqlite')
    expect((await compact(dir, output)).checkpoints[0]?.rootref).to.equal(rootref)
    expect(contents(dir)).to.deep.equal(before)
    expect([...rowsOf(output).keys()]).to.have.members([...kept.flat(), ...blobs.keys()])
  })

  it('copies large blobs and large directories', async () => {
    const blobs = new Blobs()
    const large = Buffer.alloc(9 << 20, 'large but well compressed ')
    const names = Array.from(
      { length: 200_000 },
      (_, i) => [`name-of-a-key-${i}`, val(`${i} ${'x'.repeat(60)}`)] as const,
    )
    const rootref = blobs.tree({ large: valref(large), wide: dir(Object.fromEntries(names)) })
    expect(Math.max(...[...blobs.values()].map(({ length }) => length))).to.be.greaterThan(17 << 20)
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, blobs, [rootref])
    const output = join(scratch(), 'new.sqlite')
    const { neededBytes, outputBytes = 0 } = await compact(path, output)
    expect(rowsOf(output)).to.deep.equal(rowsOf(path))
    expect(neededBytes).to.be.within(outputBytes, outputBytes * 1.1)
  })

  it('writes into a directory under the name that Flux looks for', async () => {
    const { path, kept } = made()
    const dir = scratch()
    expect((await compact(path, dir)).output).to.equal(join(dir, 'content.sqlite'))
    expect(rowsOf(join(dir, 'content.sqlite')).size).to.equal(kept.flat().length)
    expect(statSync(join(dir, 'content.sqlite')).mode & 0o777).to.equal(0o600)
  })

  it('replaces nothing, and least of all its own store', async () => {
    const { path, dir } = made()
    const before = contents(dir)
    for (const output of [path, dir]) expect(await failure(path, output)).to.include({ code: 'EEXIST' })
    writeFileSync(join(dir, 'other.sqlite-wal'), 'of another database')
    expect(await failure(path, join(dir, 'other.sqlite'))).to.include({ code: 'EEXIST' })
    expect(await failure(path, join(dir, 'no', 'new.sqlite'))).to.include({ code: 'ENOENT' })
    expect(contents(dir)).to.deep.equal({
      ...before,
      'other.sqlite-wal': Buffer.from('of another database').toString('base64'),
    })
  })

  it('only says what it would do in a dry run, with or without an output', async () => {
    const { path, dir, kept, garbage } = made()
    const before = contents(dir)
    for (const output of [undefined, join(dir, 'new.sqlite')]) {
      const result = await compact(path, output, { dryRun: true })
      const blobs = kept.flat().length
      expect(result).to.include({
        output: undefined,
        outputBytes: undefined,
        blobs,
        storeBlobs: blobs + garbage.length,
      })
      expect(result.freeBytes === undefined).to.equal(output === undefined)
      expect(contents(dir)).to.deep.equal(before)
    }
  })

  describe('refuses a store', () => {
    /** What a compaction says of a store, and that it leaves nothing. */
    async function refusal(path: string, options: Options = {}): Promise<Error & { hint?: string }> {
      const out = scratch()
      const error = await failure(path, join(out, 'new.sqlite'), options)
      expect(readdirSync(out)).to.deep.equal([])
      expect(error).to.have.property('hint').that.includes(`rescue --store ${path} --out DIR`)
      return error
    }

    it('with a missing value', async () => {
      const { path, rootrefs } = made()
      const one = blobrefOf('sha1', Buffer.from('one'))
      change(path, `DELETE FROM objects WHERE hash = CAST(x'${one.slice(5)}' AS TEXT)`)
      const error = await refusal(path)
      expect(error).to.include({ code: 'EBADMSG' })
      expect(error.message).to.equal(
        `${path}: checkpoint 0 (${rootrefs[0]}) is not whole: 1 blob missing or damaged, the first ${one}: No such file or directory`,
      )
    })

    for (const [what, statement, message] of [
      [
        'another digest than its table',
        `UPDATE objects SET hash = CAST(x'${'ab'.repeat(20)}' AS TEXT)`,
        'its index and its table do not have the same blobs',
      ],
      ['a blob that its table lacks', 'DELETE FROM objects', 'its table lacks blobs that its index has'],
    ] as const)
      it(`with an index that has ${what}`, async () => {
        const { path } = made()
        const digest = blobrefOf('sha1', Buffer.from('the oldest')).slice(5)
        const db = new DatabaseSync(path, { defensive: false })
        const schema = db.prepare("SELECT * FROM sqlite_schema WHERE tbl_name = 'objects'").all()
        const [table] = schema.filter(({ type }) => type === 'table')
        const [index] = schema.filter(({ type }) => type === 'index')
        // Without its key, so that the index is left as it was.
        const plain = String(table?.sql).replace(' PRIMARY KEY', '')
        db.exec("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE tbl_name = 'objects' AND type = 'index'")
        db.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'objects'").run(plain)
        db.close()
        change(path, `${statement} WHERE hash = CAST(x'${digest}' AS TEXT)`)
        const again = new DatabaseSync(path, { defensive: false })
        again.exec('PRAGMA writable_schema = ON')
        again.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'objects'").run(String(table?.sql))
        again
          .prepare(
            "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('index', ?, 'objects', ?, NULL)",
          )
          .run(String(index?.name), Number(index?.rootpage))
        again.close()
        const out = join(scratch(), 'new.sqlite')
        await using store = await openStore(path, { verify: false })
        const error = await new Compaction({ store, output: out }).run().catch((error) => error)
        expect(error).to.include({
          code: 'EBADMSG',
          message: `${path}: damaged: ${message}`,
        })
        expect(existsSync(out)).to.equal(false)
      })

    it('with a missing root of an older checkpoint, and says how many are whole', async () => {
      const { path, rootrefs } = made()
      change(path, `DELETE FROM objects WHERE hash = CAST(x'${rootrefs[1]?.slice(5)}' AS TEXT)`)
      const error = await refusal(path)
      expect(error.message).to.include(`checkpoint 1 (${rootrefs[1]}) is not whole`)
      expect(error.hint).to.include('--keep-checkpoints 1 leaves it out')
      await compact(path, join(scratch(), 'new.sqlite'), { keepCheckpoints: 1 })
    })

    for (const text of ['the oldest', directoryText()]) {
      it(`with an altered blob: ${text.slice(0, 10)}`, async () => {
        const { path } = made()
        const digest = blobrefOf('sha1', Buffer.from(text)).slice(5)
        change(path, `UPDATE objects SET object = 'x' || substr(object, 2) WHERE hash = CAST(x'${digest}' AS TEXT)`)
        change(path, `UPDATE objects SET object = CAST(object AS BLOB) WHERE hash = CAST(x'${digest}' AS TEXT)`)
        const error = await refusal(path)
        expect(error).to.include({ code: 'EBADMSG' })
        const what = `sha1-${digest}, which is altered: the stored bytes do not match the blobref`
        if (text === 'the oldest') expect(error.message).to.equal(`${path}: a checkpoint needs ${what}`)
        else expect(error.message).to.include(digest).and.include('altered')
      })
    }

    it('with an altered value, unless it is not to be verified', async () => {
      const { path, kept } = made()
      const digest = blobrefOf('sha1', Buffer.from('one')).slice(5)
      change(path, `UPDATE objects SET object = x'626164' WHERE hash = CAST(x'${digest}' AS TEXT)`)
      await refusal(path)
      const output = join(scratch(), 'new.sqlite')
      await compact(path, output, { verify: false })
      expect(rowsOf(output).size).to.equal(kept.flat().length)
    })

    it('without a checkpoint, or with one that cannot be read', async () => {
      const { path } = made()
      change(path, `UPDATE checkpt_v2 SET value = '{}' WHERE id = 1`)
      expect(await refusal(path)).to.include({ code: 'EPROTO' })
      change(path, 'DELETE FROM checkpt_v2')
      expect(await refusal(path)).to.include({ code: 'ENOENT' })
    })
  })

  it('refuses a content.files, whose blobs cannot be copied this way', async () => {
    const error = await failure(fixture('files'), join(scratch(), 'new.sqlite'))
    expect(error).to.include({
      code: 'ENOTSUP',
      message: `${fixture('files', 'content.files')}: blobs of such a store cannot be copied as they are`,
      hint: 'a compaction needs a content.sqlite; dump, and restore to a new store',
    })
  })

  it('refuses when there is no room, before it writes anything', function () {
    const { path } = made()
    const disk = join(scratch(), 'disk')
    mkdirSync(disk)
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]).status !== 0) this.skip()
    return (async () => {
      try {
        const error = await failure(path, join(disk, 'new.sqlite'))
        expect(error).to.include({ code: 'ENOSPC', hint: 'write to another file system' })
        expect(error.message).to.match(/new\.sqlite: it takes .* kB, and .* has only 16\.4 kB free$/)
        expect((await compact(path, join(disk, 'new.sqlite'), { dryRun: true })).freeBytes).to.equal(16384)
        expect(readdirSync(disk)).to.deep.equal([])
      } finally {
        spawnSync('umount', [disk])
      }
    })()
  })

  it('leaves nothing when it is called off', async () => {
    const { path } = made()
    const out = scratch()
    const controller = new AbortController()
    await using store = await openStore(path, { signal: controller.signal })
    const compaction = new Compaction({ store, output: join(out, 'new.sqlite'), signal: controller.signal })
    const running = compaction.run().catch((error) => error)
    await compaction.measured
    controller.abort()
    expect(await running).to.be.instanceOf(Error)
    expect(readdirSync(out)).to.deep.equal([])
    expect(await compaction.written.catch((error) => error)).to.equal(await running)
  })

  it('refuses options that make no sense, and a second run', async () => {
    const { path } = made()
    await using store = await openStore(path)
    for (const [options, message] of [
      [{ output: 'x', keepCheckpoints: 0 }, 'keepCheckpoints 0: nothing would be kept'],
      [{ output: 'x', keepCheckpoints: 1.5 }, 'keepCheckpoints 1.5: not a whole number from 0 to 9007199254740991'],
      [{}, 'a compaction needs an output'],
    ] as const) {
      expect(() => new Compaction({ store, ...options }))
        .to.throw()
        .with.include({ code: 'EINVAL', message })
    }
    const compaction = new Compaction({ store, dryRun: true })
    await compaction.run()
    expect(await compaction.run().catch((error) => error)).to.include({
      code: 'EALREADY',
      message: `${path}: this compaction has been run already`,
      hint: 'make another Compaction for another run',
    })
    expect(existsSync('x')).to.equal(false)
  })

  it('does not touch a store that was changed by hand', async () => {
    const statedir = copyOf('checkpoints')
    await compact(statedir, join(statedir, 'new.sqlite'))
    expect(await failure(statedir, join(statedir, 'new.sqlite'))).to.include({ code: 'EEXIST' })
  })
})

/** The blob of a directory of the newest checkpoint. */
function directoryText(): string {
  return new Blobs().dirText({ x: valref(LONG, 'two'), none: dir({}) })
}
