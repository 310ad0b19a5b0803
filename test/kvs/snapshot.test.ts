import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { type RootChoice, resolveRoot } from '../../src/kvs/index.ts'
import { expected, fixture } from '../support/fixtures.ts'

async function resolve(choice: RootChoice) {
  await using store = await openStore(fixture('checkpoints'))
  return await resolveRoot(store, choice).catch((error) => error)
}

describe('kvs/snapshot', () => {
  const { checkpoints } = expected('checkpoints')

  it('is the newest checkpoint unless told otherwise', async () => {
    const { rootref, sequence, timestamp } = checkpoints[0] as (typeof checkpoints)[0]
    expect(await resolve({})).to.deep.equal({
      rootref,
      hash: 'sha1',
      sequence,
      timestamp,
      checkpointIndex: 0,
      namespace: undefined,
    })
  })

  it('is an older checkpoint by its index', async () => {
    for (const [index, { rootref }] of checkpoints.entries()) {
      expect(await resolve({ checkpointIndex: index })).to.include({ rootref, checkpointIndex: index })
    }
  })

  it('is any blobref, with neither sequence nor time', async () => {
    const root = checkpoints[3]?.rootref as string
    expect(await resolve({ root })).to.deep.equal({
      rootref: root,
      hash: 'sha1',
      sequence: undefined,
      timestamp: undefined,
      checkpointIndex: undefined,
      namespace: undefined,
    })
  })

  it('carries its store, and is still printed as what is known of it', async () => {
    await using store = await openStore(fixture('checkpoints'))
    for (const choice of [{}, { checkpointIndex: 2 }, { root: checkpoints[3]?.rootref as string }]) {
      const snapshot = await resolveRoot(store, choice)
      expect(snapshot.store).to.equal(store)
      expect(JSON.parse(JSON.stringify(snapshot)))
        .to.include({ rootref: snapshot.rootref })
        .and.not.to.have.key('store')
      const [root] = await snapshot.store.loadBatch([snapshot.rootref], 1 << 20)
      expect(root).to.be.instanceOf(Uint8Array)
    }
  })

  it('is refused when there is no such checkpoint, or no such blobref', async () => {
    const missing = await resolve({ checkpointIndex: 5 })
    expect(missing).to.have.property('code', 'ENOENT')
    expect(missing.message).to.match(/no checkpoint 5: there are checkpoints 0 to 4$/)
    await using one = await openStore(fixture('basic'))
    const only = await resolveRoot(one, { checkpointIndex: 1 }).catch((error) => error)
    expect(only).to.include({
      code: 'ENOENT',
      message: `${fixture('basic', 'content.sqlite')}: no checkpoint 1: there is only checkpoint 0`,
    })
    expect(await resolve({ root: 'sha1-x' })).to.have.property('code', 'EINVAL')
    const other = await resolve({ root: `sha256-${'0'.repeat(64)}` })
    expect(other.message).to.match(/a sha256 blobref, but .* uses sha1$/)
  })
})
