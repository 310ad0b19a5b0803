import { expect } from 'chai'
import { originOf, originRecords, proofRecords } from '../../src/kvs/archive-origin.ts'
import type { Snapshot } from '../../src/kvs/index.ts'

const [ROOT, OTHER] = [`sha1-${'a'.repeat(40)}`, `sha1-${'b'.repeat(40)}`]

const recordsOf = (namespace: string | undefined, isWhole = true) =>
  originRecords({ rootref: ROOT, hash: 'sha1', namespace } as Snapshot, { mtimeSeconds: 1_700_000_000, isWhole })

const WHOLE = { comment: ROOT, 'FLUX.rootref': ROOT, 'FLUX.hash': 'sha1', 'FLUX.time': '2023-11-14T22:13:20Z' }

describe('kvs/archive-origin', () => {
  it('records the root, its algorithm and the time, and the namespace only if it is another one', () => {
    expect(recordsOf(undefined)).to.deep.equal(WHOLE)
    expect(recordsOf('primary')).to.deep.equal(WHOLE)
    expect(recordsOf('job\n1')).to.deep.equal({ ...WHOLE, 'FLUX.namespace': 'job\\n1' })
    expect(recordsOf(undefined, false)).to.deep.equal({ ...WHOLE, 'FLUX.selection': 'yes' })
  })

  it('records the root of a restore if it is known, and how much was skipped if anything was', () => {
    expect(proofRecords(undefined, 0)).to.deep.equal({})
    expect(proofRecords(OTHER, 0)).to.deep.equal({ 'FLUX.restored': OTHER })
    expect(proofRecords(undefined, 1)).to.deep.equal({ 'FLUX.skipped': '1' })
  })

  it('reads what it has recorded', () => {
    expect(originOf(recordsOf(undefined))).to.deep.equal({
      rootref: ROOT,
      time: '2023-11-14T22:13:20Z',
      namespace: undefined,
      isSelection: false,
      skipped: 0,
      restored: undefined,
    })
    const all = { ...recordsOf('job1', false), ...proofRecords(OTHER, 12) }
    expect(originOf(all)).to.include({ namespace: 'job1', isSelection: true, skipped: 12, restored: OTHER })
  })

  it('reads nothing where there is neither root, and only what is sound of the rest', () => {
    expect(originOf({})).to.equal(undefined)
    expect(originOf({ comment: ROOT, 'FLUX.time': 'x' })).to.equal(undefined)
    expect(originOf({ 'FLUX.rootref': 'root', 'FLUX.restored': 'root' })).to.equal(undefined)
    expect(originOf({ 'FLUX.restored': OTHER })).to.include({ rootref: '', restored: OTHER })
    expect(originOf({ 'FLUX.rootref': ROOT, 'FLUX.restored': 'x' })).to.include({ rootref: ROOT, restored: undefined })
    for (const skipped of ['many', '1.5', '1e99', '']) {
      expect(originOf({ 'FLUX.rootref': ROOT, 'FLUX.skipped': skipped })).to.include({ skipped: 0 })
    }
  })
})
