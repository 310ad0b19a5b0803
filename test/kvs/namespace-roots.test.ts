import { expect } from 'chai'
import type { FluxError } from '../../src/errors/index.ts'
import { namespaceRoots, usedRoots } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, type Tree, val, valref } from '../support/trees.ts'

function snapshotOf(entries: Record<string, Tree>, blobs = new Blobs()) {
  return { store: new MemoryStore(blobs), rootref: blobs.tree(entries) }
}

const kept = (value: Tree): Record<string, Tree> => ({ 'job-exec': dir({ 'kvs-namespaces': value }) })
const A = `sha1-${'a'.repeat(40)}`

describe('kvs/namespace-roots', () => {
  it('reads the roots of running jobs, with job ids that no double holds', async () => {
    const text = `[{"id":9007199254740993,"owner":5588,"kvsroot":"${A}"},{"id":5,"owner":0,"kvsroot":"${A}"}]`
    for (const value of [val(text), valref(text.slice(0, 50), text.slice(50))]) {
      expect(await namespaceRoots(snapshotOf(kept(value)))).to.deep.equal([
        { rootref: A, jobid: 9007199254740993n },
        { rootref: A, jobid: 5n },
      ])
    }
  })

  it('finds none where the instance kept none', async () => {
    for (const entries of [{}, { 'job-exec': dir({}) }, { 'job-exec': val('') }, kept(val('[]'))]) {
      expect(await namespaceRoots(snapshotOf(entries))).to.deep.equal([])
    }
  })

  it('throws, or reports, a value that is damaged or lost', async () => {
    const blobs = new Blobs()
    const snapshot = snapshotOf(kept(valref('[')), blobs)
    for (const damage of [() => {}, () => blobs.delete(blobs.store('['))]) {
      damage()
      const faults: FluxError[] = []
      expect(await namespaceRoots(snapshot, { onFault: (fault) => faults.push(fault) })).to.deep.equal([])
      expect(faults).to.have.length(1)
      const error = await namespaceRoots(snapshot).catch((error) => error)
      expect(error).to.be.an('error').that.includes({ code: faults[0]?.code })
    }
    const entry = 'an entry without a job id and a blobref'
    for (const [text, why] of [
      ['{}', 'not a list'],
      ['[1]', entry],
      ['[{"id":1,"kvsroot":"bogus"}]', entry],
      [`[{"id":"1","kvsroot":"${A}"}]`, entry],
      ['[null]', entry],
    ] as const) {
      const error = await namespaceRoots(snapshotOf(kept(val(text)))).catch((error) => error)
      expect(error, text).to.include({
        code: 'EPROTO',
        message: `job-exec.kvs-namespaces: does not name namespaces of jobs: ${why}`,
      })
    }
  })

  it('are in use as those of checkpoints are, if the store has them', async () => {
    const blobs = new Blobs()
    const guest = blobs.tree({ exec: dir({}) })
    const text = JSON.stringify([A, guest].map((kvsroot, id) => ({ id, owner: 0, kvsroot })))
    const { store, rootref } = snapshotOf(kept(val(text)), blobs)
    const older = blobs.tree({ a: val('') })
    expect(await usedRoots(store, [rootref, older, rootref])).to.deep.equal([rootref, older, guest])
  })
})
