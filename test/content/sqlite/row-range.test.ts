import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { openStore } from '../../../src/content/index.ts'
import { scratch } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'
import { openRows, type Row, someRows } from '../../support/raw-rows.ts'
import { damagePage } from '../../support/stores.ts'
import { Blobs, valref, writeSqlite } from '../../support/trees.ts'

/** The largest number of a row that is read. */
const LAST = 2 ** 40 - 1

const TREE = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key${i}`, valref(`value ${i}`)]))

/** A store whose rows have other numbers. @param rowid - SQL for the number, by that which Flux would give */
function storeOf(rowid: string): { path: string; blobs: Blobs; rootref: string } {
  const blobs = new Blobs()
  const rootref = blobs.tree(TREE)
  const path = join(scratch(), 'content.sqlite')
  writeSqlite(path, blobs, [rootref])
  const db = new DatabaseSync(path)
  db.exec(`UPDATE objects SET rowid = ${rowid}`)
  db.close()
  return { path, blobs, rootref }
}

/** Read all blobs, each alone and all together. */
async function assertRead(path: string, blobs: Blobs, options: object): Promise<void> {
  await using store = await openStore(path, options)
  const blobrefs = [...blobs.keys()]
  const wanted = blobrefs.map((blobref) => Buffer.from(blobs.get(blobref) as Uint8Array))
  const one = []
  for (const blobref of blobrefs) one.push(Buffer.from((await store.loadBatch([blobref], 1))[0] as Uint8Array))
  expect(one).to.deep.equal(wanted)
  // From now on by the index of all.
  expect((await store.onDisk.list(0, 1000)).sort()).to.deep.equal(blobrefs.sort())
  const all = (await store.loadBatch(blobrefs, 1 << 20)) as Uint8Array[]
  expect(all.map((blob) => Buffer.from(blob))).to.deep.equal(
    blobrefs.map((ref) => Buffer.from(blobs.get(ref) as Buffer)),
  )
  const { all: counted, unreadable } = await store.onDisk.totals()
  expect({ objects: counted.objects, unreadable }).to.deep.equal({ objects: blobs.size, unreadable: 0 })
}

describe('content/sqlite, numbers of rows', () => {
  for (const [what, rowid] of [
    ['from 0 on', 'rowid - 1'],
    ['up to the last that can be read', `${LAST} + 1 - rowid`],
    ['beyond 32 bits, far apart', 'rowid * 20000000000'],
  ] as const) {
    it(`reads rows ${what}`, async () => {
      const { path, blobs, rootref } = storeOf(rowid)
      for (const verify of [true, false]) await assertRead(path, blobs, { verify })
      const copy = join(scratch(), 'copy.sqlite')
      const { status, stderr } = await runInProcess(['content', 'compact', '-q', '--store', path, copy])
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      await using store = await openStore(copy)
      expect(await store.checkBatch([rootref, ...blobs.keys()])).to.deep.equal(
        [rootref, ...blobs.keys()].map(() => undefined),
      )
    })
  }

  for (const [what, rowid, shown] of [
    ['beyond the last that can be read', `${LAST} + rowid`, 2 ** 40],
    ['beyond 2^53', '(1 << 62) + 2 * rowid', '4611686018427387906'],
    ['below 0', '-rowid', -41],
    [
      'at both ends of 64 bits',
      'CASE WHEN rowid % 2 THEN 9223372036854775807 - rowid ELSE -9223372036854775808 + rowid END',
      '',
    ],
  ] as const) {
    it(`refuses rows ${what} in one line, and --salvage and rescue read their blobs`, async () => {
      const { path, blobs, rootref } = storeOf(rowid)
      for (const args of [
        ['dump', '-q', join(scratch(), 'x.tar'), '--no-verify'],
        ['content', 'compact', '--dry-run'],
      ]) {
        const { status, stderr } = await runInProcess([...args, '--store', path])
        expect(status, args.join(' ')).to.equal(1)
        expect(stderr, args.join(' ')).to.match(
          /: damaged: its table "objects" has a row -?\d+, and 0 to 1099511627775 are what can be read; --salvage reads its blobs$/m,
        )
        expect(stderr).to.include(`has a row ${shown}`)
        expect(stderr.trim().split('\n')).to.have.length(1)
      }
      for (const verify of [true, false]) await assertRead(path, blobs, { verify, salvage: true })
      const out = join(scratch(), 'out')
      expect((await runInProcess(['rescue', '--store', path, '--out', out])).status).to.equal(0)
      await using store = await openStore(join(out, 'content.sqlite'))
      expect(await store.checkBatch([rootref, ...blobs.keys()])).to.deep.equal(
        [rootref, ...blobs.keys()].map(() => undefined),
      )
    })
  }

  it('restores into such a store no worse than Flux would, and reads its own', async () => {
    const { path } = storeOf('-rowid')
    const db = new DatabaseSync(path)
    db.exec('DELETE FROM objects; DELETE FROM checkpt_v2')
    db.close()
    const archive = join(scratch(), 'x.tar')
    const { path: other } = storeOf('rowid')
    expect((await runInProcess(['dump', '-q', archive, '--store', other])).status).to.equal(0)
    expect((await runInProcess(['restore', '-q', archive, '--store', path])).status).to.equal(0)
    expect((await runInProcess(['fsck', '-q', '--store', path])).status).to.equal(0)
  })

  it('takes an entry of the index with an impossible row for damage of the index, and never for another blob', async () => {
    const rows = someRows(60)
    const path = join(scratch(), 'content.sqlite')
    const db = openRows(path, rows)
    // Numbers that take six bytes in the index.
    db.exec('UPDATE objects SET rowid = (1 << 39) + rowid')
    db.close()
    const file = readFileSync(path)
    for (const row of rows.slice(20, 25)) {
      let at = -1
      // In the index the number follows the digest, in the table the size.
      for (let next = file.indexOf(row.digest); next >= 0; next = file.indexOf(row.digest, next + 1)) {
        const number = file.readUIntBE(next + 20, 6)
        if (number > 2 ** 39 && number <= 2 ** 39 + 60) at = next + 20
      }
      expect(at).to.be.above(0)
      // In 53 bits, this number times 8192 is that of the next row.
      file.writeUIntBE(2 ** 46 + rows.indexOf(row) + 2, at, 6)
    }
    writeFileSync(path, file)
    const blobs = new Blobs()
    for (const { digest, blob } of rows) blobs.set(`sha1-${digest.toString('hex')}`, blob)
    for (const verify of [true, false]) await assertRead(path, blobs, { verify })
  })

  it('keeps ids of checkpoints beyond 2^53, and adds one to them', async () => {
    const { path } = storeOf('rowid')
    const db = new DatabaseSync(path)
    db.exec('UPDATE checkpt_v2 SET id = (1 << 60) + 1')
    db.close()
    const ids = (path: string) => {
      const db = new DatabaseSync(path, { readOnly: true })
      const statement = db.prepare('SELECT id FROM checkpt_v2 ORDER BY id')
      statement.setReadBigInts(true)
      const ids = statement.all().map(({ id }) => id)
      db.close()
      return ids
    }
    const [archive, copy] = [join(scratch(), 'x.tar'), join(scratch(), 'copy.sqlite')]
    for (const args of [
      ['dump', archive, '-q', '--store', path],
      ['content', 'compact', copy, '-q', '--store', path],
      ['restore', archive, '-q', '--store', path],
    ]) {
      const { status, stderr } = await runInProcess(args)
      expect({ status, stderr }, args.join(' ')).to.deep.equal({ status: 0, stderr: '' })
    }
    expect(ids(copy)).to.deep.equal([2n ** 60n + 1n])
    expect(ids(path)).to.deep.equal([2n ** 60n + 1n, 2n ** 60n + 2n])
  })

  it('finds the rows on both sides of a damaged page, however far their numbers are apart', async () => {
    const rows = someRows(400, { longest: 200 })
    const path = join(scratch(), 'content.sqlite')
    const db = openRows(path, rows)
    db.exec('UPDATE objects SET rowid = rowid * 2000000000')
    db.close()
    const [lost, entry] = [rows[200], rows[10]] as [Row, Row]
    expect(damagePage(path, 'table', lost.digest)).to.equal(1)
    expect(damagePage(path, 'index', entry.digest)).to.equal(1)
    const file = readFileSync(path)
    const left = rows.filter(
      ({ digest, stored }) => file.includes(Buffer.concat([digest, stored])) || file.includes(stored),
    )
    expect(left.length).to.be.within(300, 399)
    await using store = await openStore(path)
    const errors = await store.checkBatch(left.map(({ digest }) => `sha1-${digest.toString('hex')}`))
    expect(errors.filter((error) => error)).to.deep.equal([])
  })
})
