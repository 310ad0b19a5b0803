import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import {
  type Checkpoint,
  type ContentWriter,
  type HashName,
  openStore,
  openStoreWriter,
} from '../../src/content/index.ts'
import { copyOf, expected, fixture, scratch } from '../support/fixtures.ts'
import { contents, holder, killed } from '../support/stores.ts'
import { Blobs, val, valref, writeSqlite } from '../support/trees.ts'

const bytesOf = (text: string) => Buffer.from(text)

/** Small, large, repeating, random-looking and empty blobs. */
const BLOBS: Uint8Array[] = [
  bytesOf(''),
  bytesOf('small'),
  bytesOf('x'.repeat(255)),
  bytesOf('y'.repeat(256)),
  bytesOf(Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join('')),
  Uint8Array.from({ length: 300 }, (_, i) => (i * i * 31 + (i >> 3) * 7) & 255),
]

async function write(path: string, blobs: readonly Uint8Array[], hash?: HashName): Promise<Checkpoint> {
  await using writer = await openStoreWriter(path, { hash })
  const { blobrefs, stored } = writer.storeBatch(blobs)
  await stored
  const checkpoint = { rootref: blobrefs.at(-1) as string, sequence: 0, timestamp: 1_700_000_000 }
  await writer.commit(checkpoint)
  return checkpoint
}

async function read(path: string) {
  await using store = await openStore(path)
  const checkpoints = await store.checkpoints()
  return {
    hash: store.hash,
    checkpoints,
    load: async (blobrefs: readonly string[]) => {
      await using again = await openStore(path)
      return again.loadBatch(blobrefs, 1 << 20)
    },
  }
}

async function failure(path: string, hash?: HashName): Promise<{ code: string; message: string; hint: string }> {
  const writer: ContentWriter | { code: string } = await openStoreWriter(path, { hash }).catch((error) => error)
  if ('close' in writer) {
    await writer.close()
    throw new Error(`${path} was opened`)
  }
  return writer as { code: string; message: string; hint: string }
}

/** The columns of a store as SQLite has them, in the order of their rows. */
function rows(path: string, columns: string): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db
      .prepare(`SELECT ${columns} FROM objects ORDER BY rowid`)
      .all()
      .map((row) => Object.values(row))
  } finally {
    db.close()
  }
}

describe('content/open-writer', () => {
  for (const hash of ['sha1', 'sha256'] as const) {
    for (const name of ['content.sqlite', 'content.files']) {
      it(`makes a ${name} of ${hash} blobrefs, which has what was stored and nothing beside it`, async () => {
        const dir = scratch()
        const path = join(dir, name)
        const expectedRefs = new Blobs(hash)
        const blobrefs = BLOBS.map((blob) => expectedRefs.store(blob))
        const checkpoint = await write(path, BLOBS, hash)
        expect(readdirSync(dir)).to.deep.equal([name])
        const store = await read(dir)
        expect(store.hash).to.equal(hash)
        expect(store.checkpoints).to.deep.equal([checkpoint])
        expect((await store.load(blobrefs)).map((blob) => Buffer.from(blob as Uint8Array))).to.deep.equal(
          BLOBS.map((blob) => Buffer.from(blob)),
        )
        expect(statSync(path).mode & 0o077).to.equal(0)
      })
    }
  }

  it('makes a content.sqlite with the schema and the storage classes that Flux has', async () => {
    const path = join(scratch(), 'content.sqlite')
    await write(path, BLOBS)
    const classes = rows(
      path,
      'typeof(hash), octet_length(hash), typeof(size), size, typeof(object), epoch',
    ) as unknown[][]
    expect(classes.map(([hash, bytes, size, , object, epoch]) => [hash, bytes, size, object, epoch])).to.deep.equal(
      BLOBS.map(() => ['text', 20, 'integer', 'blob', 0]),
    )
    // Compressed from 256 bytes on, unless that makes it larger.
    expect(classes.map(([, , , size]) => size)).to.deep.equal([-1, -1, -1, 256, BLOBS[4]?.length, -1])
    const db = new DatabaseSync(path)
    const columns = (table: string) =>
      db
        .prepare(`PRAGMA table_info(${table})`)
        .all()
        .map(({ name, type, pk, dflt_value }) => [name, type, pk, dflt_value])
    const real = new DatabaseSync(copyOf('basic', 'content.sqlite'))
    const realColumns = (table: string) =>
      real
        .prepare(`PRAGMA table_info(${table})`)
        .all()
        .map(({ name, type, pk, dflt_value }) => [name, type, pk, dflt_value])
    for (const table of ['objects', 'checkpt_v2', 'sqlite_sequence'])
      expect(columns(table), table).to.deep.equal(realColumns(table))
    expect(
      db
        .prepare('SELECT id, value FROM checkpt_v2')
        .all()
        .map((row) => ({ ...row })),
    ).to.deep.equal([
      {
        id: 1,
        value: `{"version":1,"rootref":"${new Blobs().store(BLOBS.at(-1) as Uint8Array)}","sequence":0,"timestamp":1700000000.0}`,
      },
    ])
    expect(db.prepare('PRAGMA integrity_check').get()).to.deep.include({ integrity_check: 'ok' })
    db.close()
    real.close()
  })

  it('has one file of a store that it makes lie there until the commit, which whoever is killed leaves', async () => {
    const dir = scratch()
    await using writer = await openStoreWriter(join(dir, 'content.sqlite'))
    await writer.storeBatch(BLOBS).stored
    const [name, ...others] = readdirSync(dir)
    expect(name).to.match(/^\.content\.sqlite\..*\.part$/)
    expect(others).to.deep.equal([])
  })

  it('makes one in a statedir, and takes an empty file for an empty store', async () => {
    const statedir = scratch()
    writeFileSync(join(statedir, 'something-else'), '')
    await write(statedir, BLOBS)
    expect(readdirSync(statedir).sort()).to.deep.equal(['content.sqlite', 'something-else'])
    const empty = join(scratch(), 'made-by-mktemp')
    writeFileSync(empty, '')
    const checkpoint = await write(empty, BLOBS, 'sha256')
    expect(await read(empty)).to.deep.include({ hash: 'sha256', checkpoints: [checkpoint] })
  })

  it('has what root makes belong to whoever has the directory', async () => {
    const dir = join(scratch(), 'flux')
    mkdirSync(dir)
    const there = copyOf('files', 'content.files')
    if (process.geteuid?.() === 0) for (const path of [dir, there]) chownSync(path, 1234, 5678)
    const owner = ({ uid, gid }: Stats) => ({ uid, gid })
    for (const path of [join(dir, 'content.sqlite'), join(dir, 'content.files'), there]) {
      const before = existsSync(path) ? readdirSync(path) : []
      await write(path, BLOBS)
      const made = statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : []
      const added = made.filter((file) => !before.includes(basename(file)) || basename(file) === 'kvs-primary')
      expect(added.length, path).to.be.above(path.endsWith('files') ? BLOBS.length - 1 : -1)
      const wanted = owner(statSync(path === there ? there : dir))
      for (const file of [path, ...added]) expect(owner(statSync(file)), file).to.deep.equal(wanted)
    }
  })

  for (const [name, kind] of [
    ['basic', 'content.sqlite'],
    ['sha256', 'content.sqlite'],
    ['checkpoints', 'content.sqlite'],
    ['old-schema', 'content.sqlite'],
    ['files', 'content.files'],
  ] as const) {
    it(`adds to the ${kind} of ${name}, and keeps what is there`, async () => {
      const statedir = dirname(copyOf(name, kind))
      const before = await read(statedir)
      const root = before.checkpoints[0]?.rootref as string
      const rootBlob = (await before.load([root]))[0]
      const checkpoint = await write(statedir, BLOBS)
      const after = await read(statedir)
      expect(after.hash).to.equal(before.hash)
      // The files backend has room for one.
      expect(after.checkpoints).to.deep.equal(
        kind === 'content.files' ? [checkpoint] : [checkpoint, ...before.checkpoints],
      )
      expect(await after.load([checkpoint.rootref, root])).to.deep.equal([
        Buffer.from(BLOBS.at(-1) as Uint8Array),
        rootBlob,
      ])
      expect(readdirSync(statedir)).to.deep.equal([kind])
    })
  }

  it('brings an old schema to the newest, as the module does, so that it starts from the new checkpoint', async () => {
    const path = copyOf('old-schema', 'content.sqlite')
    await write(path, BLOBS)
    const db = new DatabaseSync(path)
    const tables = db.prepare(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`).all()
    expect(tables.map(({ name }) => name)).to.deep.equal(['checkpt_v2', 'objects', 'sqlite_sequence'])
    expect(
      db
        .prepare('PRAGMA table_info(objects)')
        .all()
        .map(({ name }) => name),
    ).to.deep.equal(['hash', 'size', 'object', 'epoch'])
    db.close()
  })

  it('heals a blob that is there but damaged, and gives it the present epoch', async () => {
    const path = copyOf('checkpoints', 'content.sqlite')
    await write(path, BLOBS)
    const db = new DatabaseSync(path)
    db.exec(
      `UPDATE objects SET object = x'00', size = -1, epoch = 0 WHERE hash IN (SELECT hash FROM objects ORDER BY rowid DESC LIMIT ${BLOBS.length})`,
    )
    const newest = Number(db.prepare('SELECT max(id) AS id FROM checkpt_v2').get()?.id)
    db.close()
    const blobrefs = BLOBS.map((blob) => new Blobs().store(blob))
    expect((await (await read(path)).load(blobrefs)).every((blob) => blob instanceof Error)).to.equal(true)
    await write(path, BLOBS)
    expect((await (await read(path)).load(blobrefs)).map((blob) => Buffer.from(blob as Uint8Array))).to.deep.equal(
      BLOBS.map((blob) => Buffer.from(blob)),
    )
    expect(rows(path, 'epoch').slice(-BLOBS.length)).to.deep.equal(BLOBS.map(() => [newest]))
  })

  for (const name of ['content.sqlite', 'content.files']) {
    it(`leaves no ${name} without a commit`, async () => {
      const dir = scratch()
      const writer = await openStoreWriter(join(dir, name))
      await writer.storeBatch(BLOBS).stored
      expect(existsSync(join(dir, name))).to.equal(false)
      await writer.close()
      await writer.close()
      expect(readdirSync(dir)).to.deep.equal([])
    })
  }

  for (const [name, kind] of [
    ['basic', 'content.sqlite'],
    ['files', 'content.files'],
  ] as const) {
    it(`leaves a ${kind} that is there as it was without a commit`, async () => {
      const statedir = dirname(copyOf(name, kind))
      const before = contents(statedir)
      const writer = await openStoreWriter(statedir)
      await writer.storeBatch(BLOBS).stored
      await writer.close()
      expect(contents(statedir)).to.deep.equal(before)
    })
  }

  it('goes on with what a crash left in the write-ahead log', async () => {
    const path = copyOf('basic', 'content.sqlite')
    const statement = `db.exec("INSERT INTO checkpt_v2 (value) SELECT replace(value, '\\"sequence\\":', '\\"sequence\\":7') FROM checkpt_v2 ORDER BY id DESC LIMIT 1")`
    await killed(await holder(path, 'PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0', statement))
    expect(statSync(`${path}-wal`).size).to.be.above(0)
    const before = await read(path)
    const checkpoint = await write(path, BLOBS)
    expect((await read(path)).checkpoints).to.deep.equal([checkpoint, ...before.checkpoints])
    expect(before.checkpoints.length).to.equal(expected('basic').checkpoints.length + 1)
    expect(existsSync(`${path}-wal`)).to.equal(false)
  })

  for (const mode of [
    'PRAGMA journal_mode=WAL; PRAGMA locking_mode=EXCLUSIVE',
    'PRAGMA journal_mode=OFF; PRAGMA locking_mode=EXCLUSIVE',
  ]) {
    it(`refuses a store that a broker holds (${mode.slice(7, 23)}), and says which process`, async function () {
      if (process.platform !== 'linux') this.skip()
      const path = copyOf('basic', 'content.sqlite')
      const child = await holder(path, mode)
      try {
        const { code, message, hint } = await failure(path)
        expect(code).to.equal('EBUSY')
        expect(message).to.match(new RegExp(`^${path}: held by process ${child.pid} \\(.+\\)$`))
        expect(hint).to.equal('stop the instance that uses it, or restore to that instance live with --uri')
      } finally {
        await killed(child)
      }
    })
  }

  it('keeps everybody else out until it is closed', async () => {
    const path = copyOf('basic', 'content.sqlite')
    const writer = await openStoreWriter(path)
    await writer.storeBatch(BLOBS).stored
    const db = new DatabaseSync(path)
    expect(() => db.exec('BEGIN IMMEDIATE')).to.throw(/locked/)
    await writer.close()
    db.exec('BEGIN IMMEDIATE')
    db.close()
  })

  it('refuses what is no store, what is another one, and names that say nothing, in one line', async () => {
    const dir = scratch()
    const text = join(dir, 'text')
    writeFileSync(text, 'no database, but long enough to be one'.repeat(10))
    const other = join(dir, 'other.sqlite')
    const db = new DatabaseSync(other)
    db.exec('CREATE TABLE t(x)')
    db.close()
    const before = readFileSync(other)
    const cases: [path: string, hash: HashName | undefined, code: string, words: RegExp][] = [
      [text, undefined, 'EINVAL', /text: not a Flux content store: it is not an SQLite database/],
      [other, undefined, 'EINVAL', /other\.sqlite: an SQLite database, but not a Flux content store/],
      [
        join(dir, 'nothing'),
        undefined,
        'EINVAL',
        /nothing: does not exist, and its name does not say what store to make$/,
      ],
      [join(dir, 'no', 'content.sqlite'), undefined, 'ENOENT', /cannot write .*no\/content\.sqlite: No such file/],
      [copyOf('basic', 'content.sqlite'), 'sha256', 'EINVAL', /is a store of sha1 blobrefs, not sha256/],
      [copyOf('files', 'content.files'), 'sha256', 'EINVAL', /is a store of sha1 blobrefs, not sha256/],
    ]
    for (const [path, hash, code, words] of cases) {
      const error = await failure(path, hash)
      expect(error.code, path).to.equal(code)
      expect(error.message).to.match(words)
      if (path.endsWith('nothing')) {
        expect(error.hint).to.match(/^name it content\.sqlite or content\.files, or give a statedir that exists$/)
      }
      expect(error.message).not.to.include('\n')
    }
    expect(readFileSync(other).equals(before)).to.equal(true)
    expect(readdirSync(dir).sort()).to.deep.equal(['other.sqlite', 'text'])
  })

  it('makes no store where the journal of another lies, which SQLite would play into it', async () => {
    const dir = scratch()
    writeFileSync(join(dir, 'content.sqlite-wal'), 'left')
    expect(await failure(join(dir, 'content.sqlite'))).to.include({
      code: 'EEXIST',
      message: `${join(dir, 'content.sqlite-wal')}: belongs to a database that is not there`,
      hint: 'put that back, or move this away',
    })
    expect(readdirSync(dir)).to.deep.equal(['content.sqlite-wal'])
  })

  it('does not replace a store that somebody else made meanwhile', async () => {
    const dir = scratch()
    const path = join(dir, 'content.sqlite')
    await using writer = await openStoreWriter(path)
    const { blobrefs, stored } = writer.storeBatch(BLOBS)
    await stored
    copyFileSync(fixture('basic', 'content.sqlite'), path)
    const error = await writer
      .commit({ rootref: blobrefs[0] as string, sequence: 0, timestamp: 1 })
      .catch((error) => error)
    expect(error).to.include({ code: 'EEXIST' })
    await writer.close()
    expect(readdirSync(dir)).to.deep.equal(['content.sqlite'])
    expect((await read(path)).checkpoints[0]?.rootref).to.equal(expected('basic').rootref)
  })

  it('says that a store is damaged, and leaves it', async () => {
    const path = copyOf('jobs', 'content.sqlite')
    truncateSync(path, 8192)
    const before = readFileSync(path)
    const error = await write(path, BLOBS).catch((error) => error)
    expect(error.code).to.equal('EBADMSG')
    expect(error.message).to.equal(`${path}: damaged: SQLite calls it malformed`)
    expect(readFileSync(path).equals(before)).to.equal(true)
  })

  it('says that a store may not be written', async () => {
    const path = copyOf('basic', 'content.sqlite')
    chmodSync(path, 0o444)
    chmodSync(dirname(path), 0o555)
    const isRoot = process.geteuid?.() === 0
    // Root may write anything.
    if (isRoot) process.seteuid?.(65_534)
    try {
      expect(await failure(path)).to.include({
        code: 'EROFS',
        message: `${path}: SQLite wants to write, but may not`,
        hint: 'look at the permissions of the file and of its directory',
      })
      expect(await failure(join(dirname(path), 'new.sqlite'))).to.include({ code: 'EACCES' })
    } finally {
      if (isRoot) process.seteuid?.(0)
      chmodSync(dirname(path), 0o755)
    }
  })

  it('takes a buffer that is handed over, and stores what is in it once', async () => {
    const path = join(scratch(), 'content.sqlite')
    await using writer = await openStoreWriter(path)
    const buffer = Buffer.allocUnsafeSlow(30).fill('abcdefghij')
    const views = [buffer.subarray(0, 10), buffer.subarray(10, 20), buffer.subarray(3, 7)]
    const { blobrefs, stored } = writer.storeBatch(views, true)
    await stored
    expect(buffer.length).to.equal(0)
    await writer.commit({ rootref: blobrefs[2] as string, sequence: 0, timestamp: 1.5 })
    expect(rows(path, 'CAST(object AS TEXT)')).to.deep.equal([['abcdefghij'], ['defg']])
  })

  it('fails the commit when a blob could not be stored', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: val('1'), b: valref('x'.repeat(1000)) })
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, blobs, [rootref])
    // Fails in the middle without touching the file: there may be one blob of 200 bytes.
    const db = new DatabaseSync(path)
    db.exec('CREATE UNIQUE INDEX one ON objects (octet_length(object)) WHERE octet_length(object) = 200')
    db.close()
    const before = readFileSync(path)
    await using writer = await openStoreWriter(path)
    await writer.storeBatch([bytesOf('first'), new Uint8Array(200).fill(1)]).stored
    const failed = await writer.storeBatch([new Uint8Array(200)]).stored.catch((error) => error)
    expect(failed).to.be.an('error')
    const known = await writer.storeBatch([new Uint8Array(200)]).stored.catch((error) => error)
    expect(known).to.equal(failed)
    const commit = await writer.commit({ rootref, sequence: 0, timestamp: 1 }).catch((error) => error)
    expect(commit).to.equal(failed)
    await writer.close()
    expect(readFileSync(path).equals(before)).to.equal(true)
  })

  it('takes no more blobs after one could not be stored', async () => {
    const path = copyOf('basic', 'content.sqlite')
    const db = new DatabaseSync(path)
    db.exec('CREATE UNIQUE INDEX one ON objects (octet_length(object)) WHERE octet_length(object) = 200')
    db.close()
    const before = readFileSync(path)
    await using writer = await openStoreWriter(path)
    const batches = [1, 2, 3, 4].map((fill) => writer.storeBatch([new Uint8Array(200).fill(fill), bytesOf(`${fill}`)]))
    const outcomes = await Promise.allSettled(batches.map(({ stored }) => stored))
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'rejected', 'rejected'])
    // It has let go by itself.
    expect(readFileSync(path).equals(before)).to.equal(true)
    expect(readdirSync(dirname(path))).to.deep.equal(['content.sqlite'])
  })

  it('refuses a store with a trigger, which may drop what is written', async () => {
    const path = copyOf('basic', 'content.sqlite')
    const db = new DatabaseSync(path)
    db.exec('CREATE TRIGGER deaf BEFORE INSERT ON checkpt_v2 BEGIN SELECT raise(IGNORE); END')
    db.close()
    const before = readFileSync(path)
    const { code, message, hint } = await failure(path)
    expect({ code, message }).to.deep.equal({
      code: 'EINVAL',
      message: `${path}: has a trigger, deaf, and Flux makes none`,
    })
    expect(hint).to.equal('restore to a new store instead')
    expect(readFileSync(path).equals(before)).to.equal(true)
  })

  it('does not commit a root that it does not have', async () => {
    const path = copyOf('basic', 'content.sqlite')
    const before = readFileSync(path)
    await using writer = await openStoreWriter(path)
    await writer.storeBatch(BLOBS).stored
    const rootref = `sha1-${'0'.repeat(40)}`
    const error = await writer.commit({ rootref, sequence: 0, timestamp: 1 }).catch((error) => error)
    expect(error).to.include({ code: 'EIO', message: `${path}: does not have the root, ${rootref}` })
    expect(readFileSync(path).equals(before)).to.equal(true)
  })
})
