import { expect } from 'chai'
import fc from 'fast-check'
import { fsckJson, verdictReport } from '../../../src/cli/reports/index.ts'
import { type BlobResult, type Checkpoint, ContentError } from '../../../src/content/index.ts'
import type { ErrnoName } from '../../../src/errors/index.ts'
import { checkTree, type Damage, damageLines, fsck, planRepair } from '../../../src/inspect/index.ts'
import { Blobs, dir, MemoryStore, raw, symlink, type Tree, val, valref } from '../../support/trees.ts'

const LOST = 'lost'
const lostRef = new Blobs().store(LOST)

/** A store some of whose blobs are damaged, beside those that are not there. */
class DamagedStore extends MemoryStore {
  readonly damaged = new Map<string, ErrnoName>()
  roots: Checkpoint[] = []

  override async loadBatch(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    const results = await super.loadBatch(blobrefs, budgetBytes)
    return results.map((result, i) => {
      const blobref = blobrefs[i] as string
      const code = this.damaged.get(blobref)
      return code === undefined || result === undefined ? result : new ContentError(code, blobref, 'as told')
    })
  }

  override async checkpoints(): Promise<Checkpoint[]> {
    return this.roots
  }
}

function storeOf(blobs: Blobs): DamagedStore {
  blobs.delete(lostRef)
  return new DamagedStore(blobs)
}

async function damagesOf(store: DamagedStore, rootref: string, visited?: string[]): Promise<Damage[]> {
  const damages: Damage[] = []
  await checkTree(
    { store, rootref },
    {
      onFault: (damage) => damages.push(damage),
      onVisit: visited && ((key) => visited.push(key)),
    },
  )
  return damages
}

const linesOf = (damages: readonly Damage[], verbose = false) => damages.flatMap((each) => damageLines(each, verbose))

describe('inspect/fsck', () => {
  it('finds nothing in a sound tree, and counts what is in it', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: val('1'), b: dir({ c: valref('2', '3'), d: dir({}) }), l: symlink('a') })
    const store = storeOf(blobs)
    const checked = await checkTree({ store, rootref }, { onFault: () => expect.fail() })
    expect(checked).to.deep.equal({ directories: 3, values: 2, symlinks: 1, blobs: 5, errors: 0 })
  })

  it('tells each kind of damage with its key, in the words of flux fsck', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({
      missing: valref('a', LOST, 'c', LOST),
      altered: valref('bits'),
      unreadable: valref('page'),
      mixed: valref(LOST, 'bits'),
      dirs: dir({
        missing: raw('dirref', [lostRef]),
        altered: dir({ x: val('altered') }),
        unreadable: dir({ x: val('unreadable') }),
        two: raw('dirref', [lostRef, lostRef]),
        text: raw('dirref', [blobs.store('no JSON')]),
        value: raw('dirref', [blobs.store('{"data":"","type":"val","ver":1}')]),
      }),
      base64: raw('val', '?'),
    })
    const store = storeOf(blobs)
    store.damaged.set(new Blobs().store('bits'), 'EBADMSG')
    store.damaged.set(new Blobs().store('page'), 'EIO')
    store.damaged.set(new Blobs().tree({ x: val('altered') }), 'EBADMSG')
    store.damaged.set(new Blobs().tree({ x: val('unreadable') }), 'EINVAL')
    const damages = await damagesOf(store, rootref)
    expect(linesOf(damages)).to.deep.equal([
      'base64: could not decode value',
      'altered: altered blobref(s)',
      'dirs.two: dirref blobref count is not 1',
      'missing: missing blobref(s)',
      'mixed: altered blobref(s)',
      'unreadable: error retrieving blobref(s): Input/output error',
      'dirs.altered: altered dirref blobref',
      'dirs.missing: missing dirref blobref',
      'dirs.text: could not decode tree object',
      'dirs.unreadable: error retrieving dirref blobref: Invalid argument',
      'dirs.value: dirref references non-directory',
    ])
    expect(
      linesOf(
        damages.filter(({ kind, badBlobs }) => kind.endsWith('-value') && badBlobs.length > 0),
        true,
      ),
    ).to.deep.equal([
      'altered: altered blobref index=0',
      'missing: missing blobref index=1',
      'missing: missing blobref index=3',
      'mixed: missing blobref index=0',
      'mixed: altered blobref index=1',
      'unreadable: error retrieving blobref index=0: Input/output error',
    ])
    expect(damages.map(({ kind }) => kind)).to.have.members([
      'missing-value',
      'altered-value',
      'altered-value',
      'unreadable-value',
      'missing-dir',
      'altered-dir',
      'unreadable-dir',
      'bad-dirref',
      'bad-treeobj',
      'not-a-dir',
      'bad-value',
    ])
  })

  it('tells of a root that is not there', async () => {
    const store = storeOf(new Blobs())
    const damages = await damagesOf(store, lostRef)
    expect(linesOf(damages)).to.deep.equal(['.: missing dirref blobref'])
  })

  it('does not follow a directory into itself, in a store that was not verified', async () => {
    const blobs = new Blobs()
    const rootref = `sha1-${'1'.repeat(40)}`
    blobs.set(rootref, Buffer.from(blobs.dirText({ a: raw('dirref', [rootref]) })))
    expect(linesOf(await damagesOf(storeOf(blobs), rootref))).to.deep.equal(['a: could not decode tree object'])
  })

  it('lists keys level by level, and damages where they are met', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({
      z: valref(LOST),
      a: dir({ y: valref(LOST), b: dir({ c: val('') }) }),
      l: symlink('x'),
    })
    const store = storeOf(blobs)
    const events: string[] = []
    await checkTree(
      { store, rootref },
      {
        onVisit: (key) => events.push(key),
        onFault: (damage) => events.push(...damageLines(damage, false)),
      },
    )
    expect(events).to.deep.equal([
      'a',
      'l',
      'z',
      'a.b',
      'a.y',
      'z: missing blobref(s)',
      'a.b.c',
      'a.y: missing blobref(s)',
    ])
  })

  it('tells damages in the same order with and without a list, however late what is asked for comes', async () => {
    const names = fc.constantFrom('a', 'b', '1', '10', 'é', '\u{1f600}', '\uffff')
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(
          val('x'),
          valref(LOST),
          valref('good'),
          valref('good', LOST),
          raw('val', '?'),
          raw('dirref', [lostRef, lostRef]),
        ),
        fc.dictionary(names, tie('tree'), { maxKeys: 4 }).map(dir),
        // A directory that stands in its parent.
        fc
          .dictionary(names, fc.constantFrom(valref(LOST), valref('good')), { maxKeys: 3 })
          .map((entries) => raw('dir', JSON.parse(new Blobs().dirText(entries)).data)),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(names, tree, { maxKeys: 5 }),
        fc.integer({ min: 1, max: 9 }),
        async (entries, window) => {
          const blobs = new Blobs()
          blobs.store('good')
          const store = storeOf(blobs)
          const rootref = blobs.tree(entries)
          blobs.delete(lostRef)
          store.window = window
          store.obeyBudget = true
          let turn = 0
          store.delay = () => (turn++ * 7) % 4
          const listed = await damagesOf(store, rootref, [])
          expect(await damagesOf(store, rootref)).to.deep.equal(listed)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('names an older checkpoint that is intact, and reads what they share once', async () => {
    const blobs = new Blobs()
    const shared = dir({ much: valref('shared') })
    const oldest = blobs.tree({ shared, o: val('1') })
    const older = blobs.tree({ shared, b: valref('fine') })
    const old = blobs.tree({ shared, c: dir({ d: valref(LOST) }) })
    const newest = blobs.tree({ shared, a: valref(LOST) })
    const store = storeOf(blobs)
    store.roots = [newest, old, older, oldest].map((rootref, i) => ({ rootref, sequence: 9 - i, timestamp: 1e9 - i }))
    const result = await fsck(store, { findIntact: true })
    expect(result.errors).to.equal(1)
    expect(result.intact).to.include({ rootref: older, checkpointIndex: 2, checkpoint: store.roots[2] })
    expect(store.asked.filter((blobref) => blobref === new Blobs().store('shared'))).to.have.length(1)
    expect(verdictReport(result, { isRepairable: true })).to.deep.equal([
      'checkpoint 0 of 2001-09-09T01:46:40Z: 1 error; looked at 2 directories, 2 values, 0 links, 4 blobs',
      'checkpoint 2 of 2001-09-09T01:46:38Z is intact: dump it with --checkpoint-index 2',
      'what can be read of checkpoint 0 of 2001-09-09T01:46:40Z: dump it with --checkpoint-index 0 --ignore-failed-read',
      'a new checkpoint without what is missing: fsck --repair',
    ])
    expect((await fsck(store)).intact).to.equal(undefined)
    const all = await fsck(store, { all: true })
    expect(all.checked.map(({ errors }) => errors)).to.deep.equal([1, 1, 0, 0])
    expect(all.intact).to.include({ checkpointIndex: 2 })
    const planned = await planRepair(store, newest, all.checked[0]?.damages ?? [], {})
    expect(verdictReport(all, { isRepairable: true, planned, written: store.roots[3] })).to.deep.equal([
      'checkpoint 0 of 2001-09-09T01:46:40Z: 1 error',
      'checkpoint 1 of 2001-09-09T01:46:39Z: 1 error',
      'checkpoint 2 of 2001-09-09T01:46:38Z: intact',
      'checkpoint 3 of 2001-09-09T01:46:37Z: intact',
      'looked at 9 directories, 8 values, 0 links, 16 blobs',
      'all of it is repaired in the new checkpoint; the exit status is 1 as that of flux fsck --repair',
      `checkpoint 2 of 2001-09-09T01:46:38Z is intact: dump it with --root ${older}`,
    ])
  })

  it('tells what is intact: what was checked, an older checkpoint, or nothing', async () => {
    const blobs = new Blobs()
    const sound = blobs.tree({ a: val('1') })
    const damaged = blobs.tree({ a: valref(LOST) })
    const store = storeOf(blobs)
    const intact = async (roots: string[], options = {}) => {
      store.roots = roots.map((rootref) => ({ rootref, sequence: 1, timestamp: 1 }))
      const result = await fsck(store, { findIntact: true, ...options })
      const { intact } = JSON.parse(JSON.stringify(fsckJson(result, undefined)))
      return intact && [intact.checkpointIndex, intact.rootref]
    }
    expect(await intact([sound, damaged])).to.deep.equal([0, sound])
    expect(await intact([damaged, damaged, sound])).to.deep.equal([2, sound])
    expect(await intact([damaged, sound], { all: true })).to.deep.equal([1, sound])
    expect(await intact([damaged, sound], { checkpointIndex: 1 })).to.deep.equal([1, sound])
    expect(await intact([damaged, damaged])).to.equal(null)
    expect(await intact([damaged, damaged], { all: true })).to.equal(null)
    expect(await intact([damaged], { rootref: sound })).to.deep.equal([null, sound])
    expect(await intact([damaged, sound], { rootref: damaged })).to.deep.equal([1, sound])
    expect(await intact([], { rootref: damaged })).to.equal(null)
  })

  it('says what can be done about damage', async () => {
    const blobs = new Blobs()
    const altered = blobs.tree({ a: valref('bits') })
    const store = storeOf(blobs)
    store.damaged.set(blobs.store('bits'), 'EBADMSG')
    const steps = async (rootref: string, isRepairable = true) => {
      store.roots = [{ rootref, sequence: 1, timestamp: 1_700_000_000 }]
      return verdictReport(await fsck(store, { findIntact: true }), { isRepairable }).slice(1)
    }
    const rescue =
      'what can be read of checkpoint 0 of 2023-11-14T22:13:20Z: dump it with --checkpoint-index 0 --ignore-failed-read'
    expect(await steps(altered)).to.deep.equal([
      'no other checkpoint is intact',
      rescue,
      'a new checkpoint without what is damaged: fsck --repair --drop-damaged',
    ])
    expect(await steps(altered, false)).to.deep.equal(['no other checkpoint is intact', rescue])
    expect(await steps(lostRef)).to.deep.equal([
      'no other checkpoint is intact',
      'the root directory of checkpoint 0 of 2023-11-14T22:13:20Z cannot be read, so nothing can be dumped or repaired from there',
      'of a store on disk, content roots lists the other roots that it has',
    ])
    expect(await steps(blobs.tree({}))).to.deep.equal([])
  })

  it('checks the checkpoint that is asked for, and says which there are', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({})
    const store = storeOf(blobs)
    store.roots = [lostRef, rootref].map((rootref) => ({ rootref, sequence: 1, timestamp: 1 }))
    expect((await fsck(store, { checkpointIndex: 1 })).errors).to.equal(0)
    expect((await fsck(store, { rootref })).checked).to.have.length(1)
    const error = await fsck(store, { checkpointIndex: 2 }).catch((error) => error)
    expect(error.message).to.equal('memory: no checkpoint 2: there are checkpoints 0 to 1')
  })

  it('ends when it is told to, or when the store fails', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ a: valref('x') })
    const store = storeOf(blobs)
    const told = await checkTree({ store, rootref }, { onFault() {}, signal: AbortSignal.abort() }).catch(
      (error) => error,
    )
    expect(told.name).to.equal('InterruptedError')
    store.failure = new Error('gone')
    expect(await checkTree({ store, rootref }, { onFault() {} }).catch((error) => error)).to.equal(store.failure)
  })
})
