import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { openStore } from '../../../src/content/index.ts'
import { checkTree, type Damage, damageLines, fsck } from '../../../src/inspect/index.ts'
import { scratch } from '../../support/fixtures.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref, writeSqlite } from '../../support/trees.ts'

const TEXTS = ['altered', 'lost', 'sound', 'large '.repeat(20_000)]

const sound: Record<string, Tree> = {
  a: val('1'),
  b: dir({ c: valref('sound', TEXTS[3] as string), d: dir({}), l: symlink('a'), é: valref('sound') }),
  e: dir({ c: valref('sound') }),
  f: raw('dir', { i: { type: 'val', ver: 1, data: '' } }),
}

const DAMAGED: Record<string, Record<string, Tree>> = {
  'an altered value': { x: dir({ v: valref('sound', 'altered'), w: val('1') }) },
  'a lost value': { x: dir({ v: valref('sound', 'lost') }), y: dir({ v: valref('lost') }) },
  'a lost directory': { x: raw('dirref', [`sha1-${'1'.repeat(40)}`]) },
  'a value of another algorithm': { x: raw('valref', [`sha256-${'1'.repeat(64)}`]) },
  'no tree object': { x: raw('dirref', [new Blobs().store('sound')]) },
  'a bad entry': { x: raw('nothing', 1) },
  'a bad value': { x: raw('val', 'no base64!') },
  'a bad dirref': { x: raw('dirref', [`sha1-${'1'.repeat(40)}`, `sha1-${'1'.repeat(40)}`]) },
}

/** A database with some trees. The blob `altered` is altered in it, and `lost` is not there. */
function storeOf(...trees: Record<string, Tree>[]) {
  const blobs = new Blobs()
  for (const text of TEXTS) blobs.store(text)
  const rootrefs = trees.map((tree) => blobs.tree(tree))
  const garbage = blobs.store('garbage')
  const path = join(scratch(), 'content.sqlite')
  const inMemory = new Blobs()
  for (const [blobref, blob] of blobs) inMemory.set(blobref, blob)
  inMemory.delete(new Blobs().store('lost'))
  writeSqlite(path, inMemory, rootrefs)
  const db = new DatabaseSync(path)
  const alter = db.prepare('UPDATE objects SET size = -1, object = ? WHERE hash = CAST(? AS TEXT)')
  for (const blobref of [new Blobs().store('altered'), garbage])
    alter.run(Buffer.from('x'), Buffer.from(blobref.slice(5), 'hex'))
  db.close()
  return { path, rootrefs, inMemory }
}

describe('inspect/fsck of a store on disk', () => {
  it('counts what is in an intact tree as it does in any other store, and minds no damaged garbage', async () => {
    const { path, rootrefs, inMemory } = storeOf(sound)
    const [rootref] = rootrefs as [string]
    const onFault = () => expect.fail()
    await using store = await openStore(path)
    const checked = await checkTree({ store, rootref }, { onFault })
    expect(checked).to.deep.equal(await checkTree({ store: new MemoryStore(inMemory), rootref }, { onFault }))
    expect(checked).to.deep.equal({ directories: 5, values: 5, symlinks: 1, blobs: 8, errors: 0 })
    // Each of its four directories and two blobs of values once, and no other.
    expect(store.counts.loaded).to.equal(6)
  })

  for (const [what, tree] of Object.entries(DAMAGED)) {
    it(`reports ${what} with its keys`, async () => {
      const { path, rootrefs } = storeOf({ ...sound, ...tree })
      const [rootref] = rootrefs as [string]
      const damagesOf = async (onVisit?: (key: string) => void) => {
        const damages: Damage[] = []
        await using store = await openStore(path)
        const { errors } = await checkTree({ store, rootref }, { onFault: (damage) => damages.push(damage), onVisit })
        expect(errors).to.equal(damages.length)
        return damages
      }
      const damages = await damagesOf()
      expect(damages).not.to.be.empty
      // With a listener, nothing is asked beforehand.
      expect(damages.map((each) => damageLines(each, true)).sort()).to.deep.equal(
        (await damagesOf(() => {})).map((each) => damageLines(each, true)).sort(),
      )
    })
  }

  it('checks the trees of all checkpoints, before and after a damaged one', async () => {
    const older = { ...sound, z: dir({ v: valref('sound') }) }
    const { path } = storeOf(sound, { ...sound, ...DAMAGED['an altered value'] }, older, {
      ...older,
      ...DAMAGED['a lost value'],
    })
    await using store = await openStore(path)
    const { checked, intact } = await fsck(store, { all: true })
    expect(checked.map(({ errors }) => errors)).to.deep.equal([0, 1, 0, 2])
    expect(checked.map(({ directories }) => directories)).to.deep.equal([5, 6, 6, 8])
    expect(intact).to.equal(checked[0])
    const newest = await fsck(store, { checkpointIndex: 1, findIntact: true })
    expect(newest.intact?.checkpointIndex).to.equal(0)
  })
})
