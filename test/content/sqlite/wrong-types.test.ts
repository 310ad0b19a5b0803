import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { expect } from 'chai'
import { openStore } from '../../../src/content/index.ts'
import { scratch } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'
import { Blobs, dir, val, valref, writeSqlite } from '../../support/trees.ts'

const LARGE = 'L'.repeat(70_000)

/** What is stored for a blob instead. */
const WRONG: Record<string, [size: SQLInputValue, object: SQLInputValue]> = {
  'a null': [-1, null],
  'a null that is to expand': [500, null],
  'a text': [-1, 'a text'],
  'a long text': [-1, LARGE],
  'an integer': [-1, 12_345_678_901_234n],
  'a real': [-1, 1.5],
  'no size': [null, Buffer.from('no size')],
  'a text for a size': ['7 8 9', Buffer.from('a text for a size')],
  'a real for a size': [3.5, Buffer.from('a real for a size')],
  'a huge size': [2n ** 62n, Buffer.from('a huge size')],
  'a size below -1': [-7, Buffer.from('a size below -1')],
}

function replace(path: string, blobref: string, size: SQLInputValue, object: SQLInputValue): void {
  const db = new DatabaseSync(path)
  const digest = Buffer.from(blobref.slice(5), 'hex')
  const { changes } = db
    .prepare('UPDATE objects SET size = ?, object = ? WHERE hash = CAST(? AS TEXT)')
    .run(size, object, digest)
  expect(changes).to.equal(1)
  db.close()
}

describe('content/sqlite, columns of other types', () => {
  it('takes such a blob for damaged, and none beside it', async () => {
    const blobs = new Blobs()
    const names = Object.keys(WRONG)
    const wrong = names.map((name) => blobs.store(name === 'a long text' ? LARGE : name))
    const sound = Array.from({ length: 30 }, (_, i) => blobs.store(`sound ${i} `.repeat(i + 1)))
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, blobs, [])
    for (const [i, name] of names.entries()) replace(path, wrong[i] as string, ...(WRONG[name] as [null, null]))
    await using store = await openStore(path)
    const asked = sound.flatMap((blobref, i) => (wrong[i] ? [blobref, wrong[i] as string] : [blobref]))
    const expected = asked.map((blobref) => (wrong.includes(blobref) ? 'EBADMSG' : 'sound'))
    const loaded = await store.loadBatch(asked, 1 << 20)
    expect(
      loaded.map((result, i) =>
        result instanceof Error
          ? result.code
          : Buffer.compare(result as Buffer, blobs.get(asked[i] as string) as Buffer) || 'sound',
      ),
    ).to.deep.equal(expected)
    expect((await store.checkBatch(asked)).map((error) => error?.code ?? 'sound')).to.deep.equal(expected)
    const { all, unreadable } = await store.onDisk.totals()
    expect({ objects: all.objects, unreadable }).to.deep.equal({ objects: blobs.size, unreadable: 0 })
    expect([...(await store.onDisk.sizes(sound))]).to.deep.equal(sound.map((blobref) => blobs.get(blobref)?.length))
  })

  for (const [what, size, object] of [
    ['a NULL', -1, null],
    ['a NULL that expands to nothing', 0, null],
    ['no bytes', -1, Buffer.alloc(0)],
    ['no bytes that expand to nothing', 0, Buffer.alloc(0)],
  ] as const) {
    it(`takes ${what} for the empty blob, where that is what the digest says`, async () => {
      const blobs = new Blobs()
      const empty = blobs.store('')
      const path = join(scratch(), 'content.sqlite')
      writeSqlite(path, blobs, [])
      replace(path, empty, size, object)
      await using store = await openStore(path)
      expect(await store.checkBatch([empty])).to.deep.equal([undefined])
      expect((await store.loadBatch([empty], 1))[0]).to.have.length(0)
    })
  }

  it('has fsck, ls and dump go on past a NULL', async () => {
    const blobs = new Blobs()
    const lost = blobs.store('lost')
    const rootref = blobs.tree({ a: val('1'), b: dir({ c: valref('lost') }), d: dir({ e: val('2') }) })
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, blobs, [rootref])
    replace(path, lost, -1, null)
    const fsck = await runInProcess(['fsck', '--store', path])
    expect({ status: fsck.status, stderr: fsck.stderr }).to.deep.include({ status: 1 })
    expect(fsck.stderr).to.match(/^flux-fsck: b\.c: altered blobref\(s\)\n/)
    const ls = await runInProcess(['kvs', 'ls', '-R', '-1', '--store', path])
    expect({ status: ls.status, stdout: ls.stdout.toString() }).to.deep.equal({
      status: 0,
      stdout: '.:\na\nb\nd\n\nb:\nc\n\nd:\ne\n',
    })
    const archive = join(scratch(), 'x.tar')
    const dump = await runInProcess(['dump', '-q', '--ignore-failed-read', '--store', path, archive])
    expect(dump.status).to.equal(0)
    expect(dump.stderr).to.match(/b\.c/)
    // The directory too.
    replace(path, rootref, -1, null)
    const root = await runInProcess(['kvs', 'ls', '--store', path])
    expect(root.status).to.equal(1)
    expect(root.stderr).to.match(/altered/)
    expect(root.stderr.trim().split('\n')).to.have.length(1)
  })
})
