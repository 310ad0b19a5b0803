import { copyFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { random } from '../../../bench/random.ts'
import { encodeCheckpoint, type HashName, openStore } from '../../../src/content/index.ts'
import { expected, fixture, SOUND_CASES, scratch } from '../../support/fixtures.ts'
import { areSame, noise, openRows, type Ranges, type Row, rangesOf, rowOf, someRows } from '../../support/raw-rows.ts'
import { contents } from '../../support/stores.ts'

const PAGE = 4096

/** Everything that a salvaged store offers: the bytes of each blob, by digest. */
async function salvaged(path: string, hash: HashName = 'sha1'): Promise<Map<string, Buffer>> {
  await using store = await openStore(path, { salvage: true })
  expect(store.hash).to.equal(hash)
  const blobs = new Map<string, Buffer>()
  const blobrefs = await store.onDisk.list(0, 1_000_000)
  expect(store.objects).to.equal(blobrefs.length)
  expect((await store.checkBatch(blobrefs)).filter((error) => error !== undefined)).to.deep.equal([])
  for (let left = blobrefs; left.length > 0; ) {
    const results = await store.loadBatch(left, 1 << 20)
    for (const [i, result] of results.entries()) {
      if (result instanceof Error) throw result
      if (result) blobs.set((left[i] as string).slice(hash.length + 1), Buffer.from(result))
    }
    left = left.filter((_, i) => results[i] === undefined)
  }
  const sizes = await store.onDisk.sizes(blobrefs)
  for (const [i, blobref] of blobrefs.entries()) {
    expect(sizes[i]).to.equal(blobs.get(blobref.slice(hash.length + 1))?.length)
  }
  const { all } = await store.onDisk.totals()
  expect(all.objects).to.equal(blobrefs.length)
  return blobs
}

/** Compare what is offered with what must be; nothing else may be offered than what was once stored. */
async function expectOffered(path: string, rows: readonly Row[], isThere: (row: Row) => boolean): Promise<number> {
  const before = contents(join(path, '..'))
  const offered = await salvaged(path, rows[0]?.digest.length === 32 ? 'sha256' : 'sha1')
  let there = 0
  for (const row of rows) {
    const blob = offered.get(row.digest.toString('hex'))
    if (blob !== undefined) expect(blob.equals(row.blob)).to.equal(true)
    if (!isThere(row)) continue
    there++
    expect(blob, `the blob of ${row.blob.length} bytes, ${row.stored.length} stored`).not.to.equal(undefined)
  }
  const known = new Set(rows.map(({ digest }) => digest.toString('hex')))
  for (const digest of offered.keys()) expect(known.has(digest)).to.equal(true)
  expect(contents(join(path, '..'))).to.deep.equal(before)
  return there
}

/** Overwrite the pages that a function chooses. */
function overwrite(file: Buffer, isChosen: (page: Buffer, number: number) => boolean, pageBytes = PAGE): void {
  for (let at = 0; at < file.length; at += pageBytes) {
    const page = file.subarray(at, at + pageBytes)
    if (isChosen(page, at / pageBytes + 1)) page.fill(0)
  }
}

const TABLE_PAGES = [0x0d, 0x05]
const INDEX_PAGES = [0x0a, 0x02]
const isOf = (types: number[]) => (page: Buffer) => types.includes(page[0] as number)

/** Ways to damage a file in place; a number is what is left of its length. */
const DAMAGE: [what: string, damage: ((file: Buffer) => void) | number][] = [
  ['that is whole', () => {}],
  ['with a page of zeros', (file) => void file.fill(0, 20 * PAGE, 21 * PAGE)],
  ['with a page of noise', (file) => void noise(random(9), PAGE).copy(file, 20 * PAGE)],
  ['with every tenth page of zeros', (file) => overwrite(file, (_, number) => number % 10 === 0)],
  ['whose header page is zeros', (file) => void file.fill(0, 0, PAGE)],
  ['whose header page is noise', (file) => void noise(random(10), PAGE).copy(file, 0)],
  ['whose page size is wrong in the header', (file) => void file.writeUInt16BE(1024, 16)],
  ['whose index is zeros', (file) => overwrite(file, isOf(INDEX_PAGES))],
  ['whose inner table pages are zeros', (file) => overwrite(file, isOf([0x05]))],
  [
    'with noise for the first hundred bytes of every b-tree page',
    (file) => {
      for (let at = 0; at < file.length; at += PAGE) {
        if ([...TABLE_PAGES, ...INDEX_PAGES].includes(file[at] as number)) noise(random(at), 100).copy(file, at)
      }
    },
  ],
  ['cut off at 99 %', 0.99],
  ['cut off at 90 %', 0.9],
  ['cut off at 50 %', 0.5],
  ['cut off at 10 %', 0.1],
]

describe('content/sqlite, of a damaged database that is salvaged', () => {
  for (const [what, damage] of DAMAGE) {
    it(`offers every blob that is still in a file ${what}, and no other`, async () => {
      const path = join(scratch(), 'content.sqlite')
      const rows = someRows(700)
      openRows(path, rows).close()
      const before = readFileSync(path)
      const ranges = new Map(rows.map((row) => [row, rangesOf(before, row) as Ranges]))
      if (typeof damage === 'number') truncateSync(path, Math.floor(before.length * damage))
      else {
        const file = readFileSync(path)
        damage(file)
        writeFileSync(path, file)
      }
      const after = readFileSync(path)
      const there = await expectOffered(path, rows, (row) => areSame(before, after, ranges.get(row) as Ranges))
      if (what === 'that is whole') expect(there).to.equal(rows.length)
      expect(there).to.be.greaterThan(rows.length * (damage === 0.1 ? 0.05 : 0.4))
    })
  }

  for (const pageBytes of [512, 1024, 8192, 65536]) {
    it(`guesses pages of ${pageBytes} bytes where the header is gone`, async () => {
      const path = join(scratch(), 'content.sqlite')
      const rows = someRows(700)
      openRows(path, rows, { pageBytes }).close()
      const file = readFileSync(path)
      writeFileSync(path, file.fill(0, 0, pageBytes))
      const there = await expectOffered(path, rows, (row) => rangesOf(file, row, pageBytes) !== undefined)
      expect(there).to.equal(rows.length)
    })
  }

  for (const options of [{ hasEpoch: false }, { isBlobHash: true, hasEpoch: false }]) {
    it(`reads the rows of older releases: ${JSON.stringify(options)}`, async () => {
      const path = join(scratch(), 'content.sqlite')
      const rows = someRows(300)
      openRows(path, rows, options).close()
      expect(await expectOffered(path, rows, () => true)).to.equal(300)
    })
  }

  it('reads a store of SHA-256', async () => {
    const path = join(scratch(), 'content.sqlite')
    const rows = someRows(300, { hash: 'sha256' })
    const db = openRows(path, rows)
    db.exec('DELETE FROM objects WHERE rowid % 2 = 0')
    db.close()
    const file = readFileSync(path)
    const there = await expectOffered(path, rows, (row) => rangesOf(file, row) !== undefined)
    expect(there).to.be.greaterThan(200)
  })

  it('reads the stores that a real Flux made as SQLite does', async () => {
    for (const name of SOUND_CASES) {
      const path = fixture(name, 'content.sqlite')
      if (!existsSync(path)) continue
      await using store = await openStore(path)
      const blobrefs = await store.onDisk.list(0, 1_000_000)
      await using salvage = await openStore(path, { salvage: true })
      expect(await salvage.onDisk.list(0, 1_000_000), name).to.include.members(blobrefs)
      expect((await salvage.checkpoints()).slice(0, expected(name).checkpoints.length)).to.deep.equal(
        await store.checkpoints(),
      )
      expect(await salvage.loadBatch(blobrefs, 1 << 30)).to.deep.equal(await store.loadBatch(blobrefs, 1 << 30))
    }
  })

  it('lists blobs in the order of their rows', async () => {
    const path = join(scratch(), 'content.sqlite')
    const rows = someRows(500)
    openRows(path, rows).close()
    await using store = await openStore(path, { salvage: true })
    const blobrefs = rows.map(({ digest }) => `sha1-${digest.toString('hex')}`)
    expect(await store.onDisk.list(100, 200)).to.deep.equal(blobrefs.slice(100, 300))
  })

  describe('after rows were deleted', () => {
    for (const [what, sql] of [
      ['every third', 'DELETE FROM objects WHERE rowid % 3 = 0'],
      [
        'most of them, in an odd order',
        'DELETE FROM objects WHERE rowid % 7 <> 0 AND octet_length(object) < 90; DELETE FROM objects WHERE rowid % 5 <> 0',
      ],
      ['all', 'DELETE FROM objects WHERE rowid > 0'],
    ] as const) {
      it(`offers those whose bytes are still there (${what})`, async () => {
        const path = join(scratch(), 'content.sqlite')
        // The first 127 rows of less than 128 bytes lose the most of their header.
        const rows = [...someRows(150, { longest: 60, seed: 3 }), ...someRows(600)]
        const db = openRows(path, rows)
        db.exec(sql)
        const left = Number(db.prepare('SELECT count(*) AS count FROM objects').get()?.count)
        db.close()
        const file = readFileSync(path)
        const there = await expectOffered(path, rows, (row) => rangesOf(file, row) !== undefined)
        expect(there).to.be.greaterThan(left + (rows.length - left) / 2)
      })
    }

    it('offers what later rows have not been written over', async () => {
      const path = join(scratch(), 'content.sqlite')
      const [old, fresh] = [someRows(500), someRows(200, { seed: 2 })]
      const db = openRows(path, old)
      db.exec('DELETE FROM objects WHERE rowid % 2 = 0')
      const insert = db.prepare('INSERT INTO objects (hash, size, object) VALUES (CAST(? AS TEXT), ?, ?)')
      for (const { digest, size, stored } of fresh) insert.run(digest, size, stored)
      db.close()
      const file = readFileSync(path)
      const there = await expectOffered(path, [...old, ...fresh], (row) => rangesOf(file, row) !== undefined)
      expect(there).to.be.greaterThan(500)
    })
  })

  describe('with a write-ahead log', () => {
    const PRAGMAS = 'PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;'

    /** A database whose newest rows are in its log, as a killed broker leaves it. */
    function killed(rows: readonly Row[], more: readonly Row[], uncommitted: readonly Row[] = []): string {
      const [work, dir] = [scratch(), scratch()]
      const db = openRows(join(work, 'content.sqlite'), rows, { pragmas: PRAGMAS })
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      const insert = db.prepare('INSERT INTO objects (hash, size, object) VALUES (CAST(? AS TEXT), ?, ?)')
      for (const { digest, size, stored } of more) insert.run(digest, size, stored)
      db.exec('PRAGMA cache_size = 1; BEGIN')
      for (const { digest, size, stored } of uncommitted) insert.run(digest, size, stored)
      for (const suffix of ['', '-wal'])
        copyFileSync(join(work, `content.sqlite${suffix}`), join(dir, `content.sqlite${suffix}`))
      db.close()
      return join(dir, 'content.sqlite')
    }

    it('offers what is only in the log', async () => {
      const rows = [...someRows(200), ...someRows(200, { seed: 2 })]
      const path = killed(rows.slice(0, 200), rows.slice(200))
      expect(await expectOffered(path, rows, () => true)).to.equal(400)
    })

    it('offers what is left of the log where that is cut off, and of the transaction that did not end', async () => {
      const [first, second, third] = [
        someRows(200),
        someRows(200, { seed: 2 }),
        someRows(800, { seed: 3, longest: 3000 }),
      ]
      const path = killed(first, second, third)
      const log = readFileSync(`${path}-wal`)
      truncateSync(`${path}-wal`, Math.floor(log.length * 0.9))
      const left = readFileSync(`${path}-wal`)
      // Rows that lie in one piece.
      const isThere = (row: Row) =>
        first.includes(row) ||
        (row.size === -1 && left.includes(Buffer.concat([row.digest, Buffer.of(0xff), row.stored])))
      const there = await expectOffered(path, [...first, ...second, ...third], isThere)
      expect(there).to.be.greaterThan(500)
    })

    it('offers the log where nothing but zeros is left of the database', async () => {
      const [first, second] = [someRows(20), someRows(200, { seed: 2, longest: 3000 })]
      const path = killed(first, second)
      writeFileSync(path, Buffer.alloc(readFileSync(path).length))
      expect(await expectOffered(path, [...first, ...second], (row) => second.includes(row))).to.equal(200)
    })

    it('reads the log where its header is damaged', async () => {
      const [first, second] = [someRows(20), someRows(200, { seed: 2, longest: 3000 })]
      const path = killed(first, second)
      const log = readFileSync(`${path}-wal`)
      writeFileSync(`${path}-wal`, log.fill(0, 0, 32))
      expect(await expectOffered(path, [...first, ...second], () => true)).to.equal(220)
    })
  })

  it('offers what a transaction deleted that did not end, from the rollback journal', async () => {
    const [work, dir] = [scratch(), scratch()]
    const rows = someRows(400)
    const db = openRows(join(work, 'content.sqlite'), rows, { pragmas: 'PRAGMA secure_delete = ON;' })
    db.exec('PRAGMA cache_size = 1; BEGIN; DELETE FROM objects WHERE rowid < 300')
    for (const suffix of ['', '-journal'])
      copyFileSync(join(work, `content.sqlite${suffix}`), join(dir, `content.sqlite${suffix}`))
    db.close()
    const path = join(dir, 'content.sqlite')
    const file = readFileSync(path)
    const missing = rows.filter((row) => rangesOf(file, row) === undefined)
    expect(missing.length).to.be.greaterThan(100)
    expect(await expectOffered(path, rows, () => true)).to.equal(400)
  })

  it('streams blobs that are too large for memory, compressed and not', async () => {
    const path = join(scratch(), 'content.sqlite')
    const rand = random(5)
    const rows = [
      noise(rand, 9_000_000),
      Buffer.concat([noise(rand, 5_000_000), Buffer.alloc(9_000_000, 'again ')]),
    ].map((blob) => rowOf(blob))
    openRows(path, [...rows, ...someRows(20)]).close()
    const file = readFileSync(path)
    writeFileSync(path, file.fill(0, 0, PAGE))
    await using store = await openStore(path, { salvage: true })
    for (const { digest, blob } of rows) {
      const blobref = `sha1-${digest.toString('hex')}`
      const pieces: Buffer[] = []
      for await (const piece of store.onDisk.stream(blobref)) pieces.push(Buffer.from(piece))
      expect(Buffer.concat(pieces).equals(blob)).to.equal(true)
      const [whole] = await store.loadBatch([blobref], 1)
      expect(Buffer.from(whole as Uint8Array).equals(blob)).to.equal(true)
      const [tooLarge] = await store.loadBatch([blobref], 1, 1 << 20)
      expect(tooLarge).to.have.property('code', 'EFBIG')
    }
  })

  describe('checkpoints', () => {
    const text = (n: number) =>
      encodeCheckpoint({ rootref: `sha1-${String(n).repeat(40)}`, sequence: n, timestamp: 1_700_000_000 + n })
    const sequences = async (path: string) => {
      await using store = await openStore(path, { salvage: true })
      return (await store.checkpoints()).map(({ sequence }) => sequence)
    }

    it('are there where the header is gone, newest first, also those of deleted rows', async () => {
      const path = join(scratch(), 'content.sqlite')
      // By their times the order would be another.
      const db = openRows(path, someRows(50), { checkpoints: [5, 4, 3, 2, 1].map(text) })
      db.exec('DELETE FROM checkpt_v2 WHERE id <= 2')
      db.close()
      const file = readFileSync(path)
      writeFileSync(path, file.fill(0, 0, PAGE))
      expect(await sequences(path)).to.deep.equal([1, 2, 3, 5, 4])
    })

    it('are none when their rows are gone', async () => {
      const path = join(scratch(), 'content.sqlite')
      openRows(path, someRows(50), { checkpoints: [text(1)] }).close()
      const file = readFileSync(path)
      overwrite(file, (page) => page.includes('rootref'))
      writeFileSync(path, file)
      const error = await sequences(path).catch((error) => error)
      expect(error).to.have.property('code', 'ENOENT')
    })

    it('are not taken from values that look alike', async () => {
      const path = join(scratch(), 'content.sqlite')
      openRows(path, [rowOf(Buffer.from(text(1))), rowOf(Buffer.from(`x${text(2)}`))], {
        checkpoints: [text(3)],
      }).close()
      expect(await sequences(path)).to.deep.equal([3])
    })

    it('are read in the form of old releases', async () => {
      const path = join(scratch(), 'content.sqlite')
      const db = openRows(path, someRows(50))
      db.exec(
        `CREATE TABLE checkpt(key TEXT UNIQUE, value TEXT); INSERT INTO checkpt VALUES ('kvs-primary', '${text(7)}')`,
      )
      db.close()
      expect(await sequences(path)).to.deep.equal([7])
      const older = join(scratch(), 'content.sqlite')
      const bare = openRows(older, someRows(50))
      bare.exec(`CREATE TABLE checkpt(key TEXT UNIQUE, value TEXT);
        INSERT INTO checkpt VALUES ('kvs-primary', 'sha1-${'8'.repeat(40)}')`)
      bare.close()
      await using store = await openStore(older, { salvage: true })
      expect((await store.checkpoints())[0]?.rootref).to.equal(`sha1-${'8'.repeat(40)}`)
    })
  })

  it('is refused where nothing is left, and where nothing is', async () => {
    const dir = scratch()
    const path = join(dir, 'content.sqlite')
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(100_000), noise(random(1), 300_000), Buffer.from('text')]) {
      writeFileSync(path, bytes)
      const error = await openStore(dir, { salvage: true }).catch((error) => error)
      expect(error).to.have.property('code', 'EINVAL')
      expect(error.message).to.equal(`${path}: no blob of a content store is left in it`)
    }
    const error = await openStore(join(dir, 'none'), { salvage: true }).catch((error) => error)
    expect(error).to.have.property('code', 'ENOENT')
  })

  it('reads a content.files directory as ever, blob by blob', async () => {
    await using store = await openStore(fixture('files'), { salvage: true })
    expect((await store.checkpoints())[0]?.rootref).to.equal(expected('files').rootref)
  })

  it('is what a database that cannot be opened is said to be good for', async () => {
    const dir = scratch()
    const path = join(dir, 'content.sqlite')
    openRows(path, someRows(300)).close()
    const whole = readFileSync(path)
    const hint = async (at: string) => (await openStore(at).catch((error) => error)).hint
    writeFileSync(path, Buffer.from(whole).fill(0, 0, PAGE))
    expect(await hint(dir)).to.equal('if it is damaged, --salvage reads what is left of it')
    writeFileSync(path, Buffer.from(whole).fill(0, 100, PAGE))
    expect(await hint(dir)).to.equal('--salvage reads what is left of it')
  })

  it('never crashes, hangs or offers a wrong blob, whatever the damage', async () => {
    const rows = someRows(400)
    const source = join(scratch(), 'content.sqlite')
    const db = openRows(source, rows)
    db.exec('DELETE FROM objects WHERE rowid % 4 = 0')
    db.close()
    const before = readFileSync(source)
    const ranges = new Map(rows.map((row) => [row, rangesOf(before, row)]))
    for (let seed = 1; seed <= 40; seed++) {
      const path = join(scratch(), 'content.sqlite')
      let file: Buffer = Buffer.from(before)
      const rand = random(seed)
      const at = () => Math.floor(rand() * file.length)
      for (let hits = Math.floor(rand() ** 3 * 300) + 1; hits > 0; hits--) {
        const from = at()
        const length = Math.min(Math.floor(rand() ** 3 * 10_000), file.length - from)
        const kind = Math.floor(rand() * 5)
        if (kind === 0) file[from] = (file[from] as number) ^ (1 << Math.floor(rand() * 8))
        else if (kind === 1) file.fill(0, from, from + length)
        else if (kind === 2) noise(rand, length).copy(file, from)
        else if (kind === 3) file.copy(file, at(), from, from + length)
        else file.fill(0xff, from, Math.min(from + 9, file.length))
      }
      if (seed % 3 === 0) file = file.subarray(0, at())
      writeFileSync(path, file)
      const isThere = (row: Row) => {
        const there = ranges.get(row)
        return there !== undefined && areSame(before, file, there)
      }
      if (rows.some(isThere)) await expectOffered(path, rows, isThere)
    }
  })
})
