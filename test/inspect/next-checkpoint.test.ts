import { expect } from 'chai'
import type { Checkpoint } from '../../src/content/index.ts'
import { FluxError } from '../../src/errors/index.ts'
import { nextCheckpoint } from '../../src/inspect/index.ts'
import { Blobs, dir, MemoryStore, type Tree, val, valref } from '../support/trees.ts'

const NOW = 1_800_000_000.5

class Store extends MemoryStore {
  list: Checkpoint[] | FluxError = []

  override async checkpoints(): Promise<Checkpoint[]> {
    if (this.list instanceof FluxError) throw this.list
    return this.list
  }
}

function storeOf(entries: Record<string, Tree>): { store: Store; blobs: Blobs; rootref: string } {
  const blobs = new Blobs()
  const rootref = blobs.tree(entries)
  return { store: new Store(blobs), blobs, rootref }
}

const PRIMARY = { job: dir({ a: valref('1') }), resource: dir({ R: val('') }) }

async function refusal(promise: Promise<unknown>): Promise<FluxError> {
  return promise.then(
    () => {
      throw new Error('it was not refused')
    },
    (error) => error,
  )
}

describe('inspect/next-checkpoint', () => {
  it('has a higher sequence number than any checkpoint, not only the newest', async () => {
    const { store, rootref, blobs } = storeOf(PRIMARY)
    const older = { rootref: blobs.tree({ admin: dir({}) }), timestamp: 1 }
    store.list = [
      { ...older, sequence: 0 },
      { ...older, sequence: 1234 },
    ]
    expect(await nextCheckpoint(store, rootref, NOW)).to.deep.equal({
      checkpoint: { rootref, sequence: 1235, timestamp: NOW },
      isNew: true,
    })
    // Flux reads it into an int.
    store.list = [{ ...older, sequence: 2 ** 31 - 1 }]
    expect((await nextCheckpoint(store, rootref, NOW)).checkpoint.sequence).to.equal(2 ** 31 - 1)
  })

  it('is made where there is no checkpoint, or they are damaged', async () => {
    const { store, rootref } = storeOf(PRIMARY)
    for (const code of ['ENOENT', 'EPROTO'] as const) {
      store.list = new FluxError(code, 'no checkpoints')
      expect((await nextCheckpoint(store, rootref, NOW)).checkpoint.sequence).to.equal(1)
    }
  })

  it('is the newest one, if that names the root already', async () => {
    const { store, rootref } = storeOf(PRIMARY)
    const newest = { rootref, sequence: 5, timestamp: 1 }
    store.list = [newest]
    expect(await nextCheckpoint(store, rootref, NOW)).to.deep.equal({ checkpoint: newest, isNew: false })
  })

  it('is not made of a root with something missing below it, unless it is forced', async () => {
    const { store, rootref, blobs } = storeOf(PRIMARY)
    blobs.delete(blobs.store('1'))
    expect(await refusal(nextCheckpoint(store, rootref, NOW))).to.include({ code: 'EBADMSG' })
    expect((await nextCheckpoint(store, rootref, NOW, { force: true })).isNew).to.equal(true)
  })

  it('is not made of what does not look like a root of the primary namespace, unless it is forced', async () => {
    for (const entries of [{ exec: dir({}), output: val('') }, {}, { '00ab': dir({}) }]) {
      const { store, rootref } = storeOf(entries)
      expect(await refusal(nextCheckpoint(store, rootref, NOW))).to.include({ code: 'EINVAL' })
      expect((await nextCheckpoint(store, rootref, NOW, { force: true })).isNew).to.equal(true)
    }
  })

  it('is never made of a root that is missing, or is no directory', async () => {
    const { store, blobs } = storeOf(PRIMARY)
    const missing = `sha1-${'ab'.repeat(20)}`
    expect(await refusal(nextCheckpoint(store, missing, NOW, { force: true }))).to.include({ code: 'ENOENT' })
    const value = blobs.store('a value')
    expect(await refusal(nextCheckpoint(store, value, NOW, { force: true }))).to.include({ code: 'EPROTO' })
    const other = `sha256-${'0'.repeat(64)}`
    expect(await refusal(nextCheckpoint(store, other, NOW, { force: true }))).to.include({ code: 'EINVAL' })
  })
})
