import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { random } from '../../../bench/random.ts'
import { openStore, openStoreWriter } from '../../../src/content/index.ts'
import { copyOf, expected, fixture, scratch } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'
import { noise } from '../../support/raw-rows.ts'

/** A copy of a store, on which SQL has been run. */
function changed(sql: string, from = 'basic'): string {
  const path = copyOf(from, 'content.sqlite')
  // A defensive database does not let its schema be written.
  const db = new DatabaseSync(path, { defensive: false })
  db.exec(sql)
  db.close()
  return path
}

/** The objects of a store, in a table with other columns. */
const objects = (columns: string, select: string) =>
  `ALTER TABLE objects RENAME TO old; CREATE TABLE objects(${columns}); INSERT INTO objects ${select}; DROP TABLE old`

const failure = (path: string) =>
  openStore(path).then(
    async (store) => {
      const error = await store.checkpoints().catch((error) => error)
      await store.close()
      return error
    },
    (error) => error,
  )

describe('content/sqlite, a schema that is not that of Flux', () => {
  for (const [sql, words] of [
    [
      objects(
        'hash BLOB PRIMARY KEY, size INT, stored BLOB, object BLOB AS (stored || hex(zeroblob(1)))',
        '(hash, size, stored) SELECT hash, size, object FROM old',
      ),
      'the column "object" of its "objects" is generated',
    ],
    [
      objects(
        'hash BLOB PRIMARY KEY, size INT AS (7) STORED, object BLOB',
        '(hash, object) SELECT hash, object FROM old',
      ),
      'the column "size" of its "objects" is generated',
    ],
    [
      objects('hash BLOB PRIMARY KEY, size, object, RowID TEXT', `SELECT hash, size, object, '1 2 3 4' FROM old`),
      'its "objects" has a column "rowid"',
    ],
    [objects('id INTEGER PRIMARY KEY, name TEXT', `SELECT rowid, 'x' FROM old`), 'its "objects" has no column "hash"'],
    ['ALTER TABLE objects DROP COLUMN size', 'its "objects" has no column "size"'],
    ['DROP TABLE checkpt_v2; CREATE TABLE checkpt_v2(id)', 'its "checkpt_v2" has no column "value"'],
    [
      `DROP TABLE checkpt_v2; CREATE TABLE checkpt_v2(id INTEGER PRIMARY KEY, value AS (hex(zeroblob(9))))`,
      'the column "value" of its "checkpt_v2" is generated',
    ],
    [`CREATE TABLE checkpt(key, x)`, 'its "checkpt" has no column "value"'],
  ] as const) {
    it(`is refused, to read and to write: ${words}`, async () => {
      const path = changed(sql)
      const before = readFileSync(path)
      const message = `${path}: an SQLite database, but not a Flux content store (${words})`
      expect(await failure(path)).to.include({ code: 'EINVAL', message })
      expect(await openStoreWriter(path).catch((error) => error)).to.include({ code: 'EINVAL', message })
      expect(readFileSync(path).equals(before)).to.equal(true)
    })
  }

  for (const encoding of ['UTF-16le', 'UTF-16be'] as const) {
    it(`is refused, to read and to write, when its text is in ${encoding}`, async () => {
      const path = join(scratch(), 'content.sqlite')
      const source = new DatabaseSync(fixture('basic', 'content.sqlite'), { readOnly: true })
      const db = new DatabaseSync(path)
      db.exec(`PRAGMA encoding = '${encoding}'`)
      db.exec('CREATE TABLE objects(hash BLOB PRIMARY KEY, size INT, object BLOB, epoch INT DEFAULT 0)')
      db.exec('CREATE TABLE checkpt_v2(id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, value TEXT)')
      const insert = db.prepare('INSERT INTO objects (hash, size, object) VALUES (CAST(? AS TEXT), ?, ?)')
      for (const { hash, size, object } of source
        .prepare('SELECT CAST(hash AS BLOB) AS hash, size, object FROM objects')
        .all())
        insert.run(hash as Uint8Array, size as number, object as Uint8Array)
      const [checkpoint] = source.prepare('SELECT value FROM checkpt_v2').all()
      db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)').run(checkpoint?.value as string)
      db.close()
      source.close()
      const before = readFileSync(path)
      const message = `${path}: its text is encoded in ${encoding}, and Flux makes stores in UTF-8`
      const hint = 'take the original of this database'
      expect(await failure(path)).to.include({ code: 'ENOTSUP', message, hint })
      expect(await openStoreWriter(path).catch((error) => error)).to.include({ code: 'ENOTSUP', message, hint })
      expect(readFileSync(path).equals(before)).to.equal(true)
      const { status, stdout, stderr } = await runInProcess(['content', 'validate', '--store', path])
      expect({ status, stdout: stdout.toString() }).to.deep.equal({ status: 1, stdout: '' })
      expect(stderr).to.match(/^flux-ts content validate: [^\n]* is encoded in UTF-16[lb]e, [^\n]*\n$/)
    })
  }

  it('is read where it only has more of what is not read', async () => {
    const path = changed(`ALTER TABLE objects ADD COLUMN note TEXT; ALTER TABLE objects ADD COLUMN twice AS (size * 2);
      CREATE TABLE notes(rowid, a); CREATE VIEW v AS SELECT * FROM notes;
      CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM objects; END;
      CREATE INDEX some ON objects(hash) WHERE size > 1000000`)
    await using store = await openStore(path)
    expect((await store.checkpoints())[0]?.rootref).to.equal(expected('basic').rootref)
    expect((await runInProcess(['fsck', '-q', '--store', path])).status).to.equal(0)
  })

  for (const [what, value] of [
    ['a NULL', 'NULL'],
    ['an integer beyond those of JavaScript', '9223372036854775807'],
    ['a real', '1.5'],
    ['bytes that are no text', `x'00ff'`],
    ['50 MB', 'zeroblob(50000000)'],
    ['a text of 1 MB', `hex(zeroblob(500000))`],
  ] as const) {
    it(`takes ${what} for no checkpoint, and names it`, async () => {
      const path = changed(`DROP TABLE checkpt_v2; CREATE TABLE checkpt_v2(id INTEGER PRIMARY KEY, value);
        INSERT INTO checkpt_v2 (value) VALUES (${value})`)
      expect(await failure(path)).to.include({
        code: 'EPROTO',
        message: `${path}: checkpoint 0: not a checkpoint object`,
      })
      const { status, stderr } = await runInProcess(['fsck', '--store', path])
      expect({ status, stderr }).to.deep.equal({
        status: 1,
        stderr: `flux-ts fsck: ${path}: checkpoint 0: not a checkpoint object; content roots lists the roots that no checkpoint names\n`,
      })
    })
  }

  it('takes a checkpoint that is stored as bytes, as Flux does', async () => {
    await using store = await openStore(changed('UPDATE checkpt_v2 SET value = CAST(value AS BLOB)'))
    expect((await store.checkpoints())[0]?.rootref).to.equal(expected('basic').rootref)
  })
})

describe('content/sqlite, a database that is not readable', () => {
  const page = (file: Buffer) => (file.readUInt16BE(16) === 1 ? 65536 : file.readUInt16BE(16))

  for (const [what, from] of [
    ['after its first 16 bytes', () => 16],
    ['after its header', () => 100],
    ['after its first page', page],
  ] as const) {
    it(`is refused in one line when it is encrypted ${what}`, async () => {
      const file = readFileSync(fixture('values', 'content.sqlite'))
      const at = from(file)
      noise(random(7), file.length - at).copy(file, at)
      const path = join(scratch(), 'content.sqlite')
      writeFileSync(path, file)
      for (const command of ['fsck', 'du', 'dump']) {
        const out = command === 'dump' ? ['-q', join(scratch(), 'x.tar')] : []
        const { status, stderr } = await runInProcess([command, '--store', path, ...out])
        expect(status).to.equal(1)
        expect(stderr).to.match(
          /^flux-ts \w+: .*(damaged: SQLite calls it malformed|not an SQLite database); --salvage/,
        )
        expect(stderr.trimEnd().split('\n')).to.have.length(1)
      }
    })
  }
})
