import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { MAX_CHECKPOINTS, openStore } from '../../../src/content/index.ts'
import { scratch } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'
import { Blobs, val, writeSqlite } from '../../support/trees.ts'

const OLDER = 'has more than 10,000 checkpoints'

/** More rows than the scan of pages keeps at a time. */
const ROWS = 5 * MAX_CHECKPOINTS + 3000

/** A store of so many checkpoints. Their sequence numbers are their ids. */
function storeOf(count: number): string {
  const blobs = new Blobs()
  const rootref = blobs.tree({ a: val('1') })
  const path = join(scratch(), 'content.sqlite')
  writeSqlite(path, blobs, [])
  const db = new DatabaseSync(path)
  db.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO checkpt_v2 (value)
      SELECT printf('{"version":1,"rootref":"%s","sequence":%d,"timestamp":%d.5}', ?, i, i) FROM n`,
  ).run(count, rootref)
  db.close()
  return path
}

describe('content/sqlite, more checkpoints than are read', () => {
  it('reads all where there are just as many', async () => {
    await using store = await openStore(storeOf(MAX_CHECKPOINTS))
    const checkpoints = await store.checkpoints()
    expect(checkpoints).to.have.length(MAX_CHECKPOINTS)
    expect(checkpoints.at(-1)?.sequence).to.equal(1)
    expect(store.onDisk.hasOlderCheckpoints).to.equal(false)
  })

  for (const salvage of [false, true]) {
    it(`reads the newest${salvage ? ', also without SQLite' : ''}, and knows that there are older ones`, async () => {
      await using store = await openStore(storeOf(ROWS), { salvage })
      const sequences = (await store.checkpoints()).map(({ sequence }) => sequence)
      expect(sequences).to.deep.equal(Array.from({ length: MAX_CHECKPOINTS }, (_, i) => ROWS - i))
      expect(store.onDisk.hasOlderCheckpoints).to.equal(true)
    })
  }

  it('says so where all are wanted, and only there', async () => {
    const path = storeOf(MAX_CHECKPOINTS + 1)
    for (const args of [
      ['content', 'checkpoint', 'list'],
      ['content', 'stats', '--reachable'],
      ['fsck', '--all', '--quiet'],
    ]) {
      const { status, stderr } = await runInProcess([...args, '--store', path])
      expect({ status, stderr }, args.join(' ')).to.have.property('status', 0)
      expect(
        stderr.split('\n').filter((line) => line.endsWith(`${OLDER}: older ones are not read`)),
        args.join(' '),
      ).to.have.length(1)
    }
    const archive = join(scratch(), 'x.tar')
    for (const args of [['fsck'], ['content', 'roots'], ['dump', '-q', archive, '--checkpoint-index', '9999']]) {
      const { status, stderr } = await runInProcess([...args, '--store', path])
      expect({ status, stderr }, args.join(' ')).to.have.property('status', 0)
      expect(stderr).not.to.include(OLDER)
    }
  })

  it('leaves none out of a compaction unasked', async () => {
    const path = storeOf(MAX_CHECKPOINTS + 1)
    const output = join(scratch(), 'new.sqlite')
    const { status, stderr } = await runInProcess(['content', 'compact', '--store', path, output])
    expect(status).to.equal(1)
    expect(stderr).to.include(
      'has more than 10,000 checkpoints: a compaction keeps 10,000 at most; --keep-checkpoints N keeps the N newest\n',
    )
    expect(stderr.trim().split('\n')).to.have.length(1)
    expect(existsSync(output)).to.equal(false)
    expect(
      await runInProcess(['content', 'compact', '-q', '--keep-checkpoints', '3', '--store', path, output]),
    ).to.have.property('status', 0)
    const db = new DatabaseSync(output, { readOnly: true })
    const ids = db.prepare('SELECT id FROM checkpt_v2 ORDER BY id').all()
    const source = new DatabaseSync(path, { readOnly: true })
    const newest = source.prepare('SELECT id FROM checkpt_v2 ORDER BY id DESC LIMIT 3').all()
    expect(ids).to.deep.equal(newest.reverse())
    db.close()
    source.close()
  })
})
