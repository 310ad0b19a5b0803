import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Sides } from '../../src/cli/index.ts'
import { openStore, openStoreWriter } from '../../src/content/index.ts'
import { STORE_KINDS } from '../../src/content/store-kinds.ts'
import { contentStats, fsck } from '../../src/inspect/index.ts'
import { resolveRoot, walk } from '../../src/kvs/index.ts'
import { Restore } from '../../src/restore/index.ts'
import { fixture, scratch } from '../support/fixtures.ts'
import { toyKind } from '../support/toy-store/index.ts'

const ARCHIVE = fixture('archives', 'snapshot.tar.xz')

/** Restore an archive to a store. @returns the root */
async function restoreTo(path: string): Promise<string> {
  await using writer = await openStoreWriter(path)
  const commit = (root: { rootref: string; timestamp: number }) => writer.commit({ ...root, sequence: 7 })
  return (await new Restore({ infile: ARCHIVE, writer, commit }).run()).rootref
}

/** The keys of the newest checkpoint of a store, each with its size. */
async function keysOf(path: string): Promise<string[]> {
  await using store = await openStore(path)
  const { rootref } = await resolveRoot(store)
  const keys: string[] = []
  for await (const batch of walk(store, rootref)) {
    for (const entry of batch) keys.push(`${entry.name} ${entry.type === 'value' ? entry.size : entry.target}`)
  }
  return keys
}

describe('content/store-kinds', () => {
  const failure = (path: string) => openStore(path).catch((error) => error)

  it('knows nothing of a kind that is not in the list', async () => {
    const path = join(scratch(), 'content.toy')
    expect(await openStoreWriter(path).catch((error) => error)).to.include({ code: 'EINVAL' })
    writeFileSync(path, '{"toy":1,"hash":"sha1","blobs":{},"checkpoints":[]}')
    expect(await failure(path)).to.include({ code: 'EINVAL' })
  })

  describe('with one kind more', () => {
    before(() => void STORE_KINDS.push(toyKind))
    after(() => void STORE_KINDS.splice(STORE_KINDS.indexOf(toyKind), 1))

    it('writes a store of that kind, finds it in a statedir, and reads of it what any other kind gives', async () => {
      const dir = scratch()
      const sqlite = join(dir, 'content.sqlite')
      const statedir = join(dir, 'statedir')
      mkdirSync(statedir)
      const rootref = await restoreTo(sqlite)
      expect(await restoreTo(join(statedir, 'content.toy'))).to.equal(rootref)
      const keys = await keysOf(sqlite)
      expect(keys).not.to.have.length(0)
      expect(await keysOf(statedir)).to.deep.equal(keys)

      await using toy = await openStore(statedir)
      await using other = await openStore(sqlite)
      expect(await toy.checkpoints()).to.deep.equal(await other.checkpoints())
      const blobrefs = await toy.onDisk.list(0, 10_000)
      expect(blobrefs).to.have.members(await other.onDisk.list(0, 10_000))
      expect(await toy.onDisk.sizes(blobrefs)).to.deep.equal(await other.onDisk.sizes(blobrefs))
      for (const [i, bytes] of (await toy.onDisk.sizes(blobrefs)).entries()) {
        let streamed = 0
        for await (const piece of toy.onDisk.stream(blobrefs[i] as string)) streamed += piece.length
        expect(streamed).to.equal(bytes)
      }
      expect(await fsck(toy))
        .to.include({ errors: 0 })
        .and.to.have.nested.property('checked[0].rootref', rootref)
      const { all, garbage } = await contentStats(toy, { reachable: true })
      expect([all.objects, garbage?.objects]).to.deep.equal([blobrefs.length, 0])
    })

    it('is not compared as a directory of values when it is damaged', async () => {
      const statedir = scratch()
      writeFileSync(join(statedir, 'content.toy'), 'no store')
      const error = await Sides.open(statedir, ARCHIVE, { verify: true }).catch((error) => error)
      expect(error).to.include({ code: 'EINVAL' })
      expect(error.message).to.match(/: not a Flux content store: its content.toy is not /)
    })

    it('adds to a store of that kind that is there', async () => {
      const statedir = scratch()
      await restoreTo(join(statedir, 'content.toy'))
      await restoreTo(statedir)
      await using store = await openStore(statedir)
      expect(await store.checkpoints()).to.have.length(2)
    })

    it('names the kind where no store is found, and where two are', async () => {
      const dir = scratch()
      expect(await failure(dir)).to.include({
        message: `${dir}: not a Flux content store: it has neither content.sqlite, content.files nor content.toy in it`,
        hint: 'give a statedir, a content.sqlite, a content.files directory or a content.toy',
      })
      writeFileSync(join(dir, 'content.toy'), 'something else')
      expect((await failure(dir)).message).to.match(/: its content\.toy is not a toy$/)
      expect((await failure(join(dir, 'content.toy'))).message).to.match(/: it is not an SQLite database or a toy$/)
      await restoreTo(join(dir, 'content.sqlite'))
      writeFileSync(join(dir, 'content.toy'), '{"toy":1}')
      expect((await failure(dir)).message).to.match(/: holds two stores, content\.sqlite and content\.toy$/)
    })
  })
})
