import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { resolveRoot } from '../../src/kvs/index.ts'
import { ArchiveStore } from '../../src/restore/index.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { cleanEnv, fluxTs } from '../support/processes.ts'
import { withoutOrigin } from '../support/read-tar.ts'

describe('restore/archive-store', () => {
  it('has the root that a restore gives, as its only checkpoint, and leaves nothing behind', async () => {
    const scratchDir = scratch()
    {
      await using store = await ArchiveStore.open(fixture('archives', 'snapshot.tar.xz'), { scratchDir })
      const { rootref, timestamp } = await resolveRoot(store)
      expect(rootref).to.equal(expected('archives').rootref)
      expect(timestamp).to.be.greaterThan(1_700_000_000)
      expect(await store.checkpoints()).to.have.length(1)
      expect(store.restored).to.include({ format: 'tar', filter: 'xz', keys: expected('archives').entries.length })
      expect(readdirSync(scratchDir)).to.deep.equal([])
      const [root] = await store.loadBatch([rootref], 1)
      expect([...(await store.onDisk.sizes([rootref]))]).to.deep.equal([(root as Uint8Array).length])
      expect(Buffer.from(root as Uint8Array).toString()).to.match(/^\{"data":/)
    }
    expect(readdirSync(scratchDir)).to.deep.equal([])
  })

  it('leaves nothing behind when the archive is damaged', async () => {
    const scratchDir = scratch()
    const file = fixture('archives', 'content.sqlite')
    const error = await ArchiveStore.open(file, { scratchDir }).catch((error) => error)
    expect(error.message).to.contain(file)
    expect(readdirSync(scratchDir)).to.deep.equal([])
  })

  it('lets one kind of archive be dumped as another, with the same members as from the store it was of', () => {
    const dir = scratch()
    const env = cleanEnv({ SOURCE_DATE_EPOCH: '1700000000' })
    const dump = (source: string[], name: string) => {
      const { status, stderr } = fluxTs(['dump', '-q', ...source, join(dir, name)], { env })
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      return readFileSync(join(dir, name))
    }
    const direct = dump(['--store', fixture('jobs', 'content.sqlite')], 'direct.tar')
    dump(['--store', fixture('jobs', 'content.sqlite')], 'packed.tgz')
    const again = dump(['--archive', join(dir, 'packed.tgz')], 'again.tar')
    expect(withoutOrigin(again).equals(withoutOrigin(direct))).to.equal(true)
    // The roots that they were made of differ, since a restore stores values anew.
    expect(again.equals(direct)).to.equal(false)
  })
})
