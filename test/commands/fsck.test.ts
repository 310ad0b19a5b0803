import { join } from 'node:path'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { Blobs, val, writeSqlite } from '../support/trees.ts'

describe('fsck --repair', () => {
  it('says in the words of the C tool that the root itself is lost', async () => {
    const store = join(scratch(), 'content.sqlite')
    const blobs = new Blobs()
    const root = blobs.tree({ a: val('1') })
    blobs.delete(root)
    writeSqlite(store, blobs, [root])
    const { status, stderr } = await runInProcess(['fsck', '--repair', '--store', store])
    expect(status).to.equal(1)
    expect(stderr).to.include('cannot load root tree object: No such file or directory\n')
  })
})
