import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { fsck } from '../../src/inspect/index.ts'
import { rescue } from '../../src/rescue/index.ts'
import { scratch } from '../support/fixtures.ts'
import { doubled } from '../support/large-trees.ts'
import { Blobs, dir, raw, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

/** Rescue a store with one tree. @param prepare - what to take out of it */
async function rescued(
  entries: Record<string, Tree> | ((blobs: Blobs) => Record<string, Tree>),
  prepare: (blobs: Blobs) => void = () => {},
) {
  const path = join(scratch(), 'content.sqlite')
  const out = join(scratch(), 'out')
  const blobs = new Blobs()
  const rootref = blobs.tree(typeof entries === 'function' ? entries(blobs) : entries)
  prepare(blobs)
  writeSqlite(path, blobs, [rootref])
  return { out, report: await rescue({ store: path, out }) }
}

describe('rescue, of more than a dump may have', () => {
  it('writes the store and the report, which names the limit, without the archive', async () => {
    const path = join(scratch(), 'content.sqlite')
    const out = join(scratch(), 'out')
    const blobs = new Blobs()
    let rootref = blobs.tree({ a: val('1') })
    for (let level = 0; level < 10_001; level++)
      rootref = blobs.tree({ d: { data: [rootref], type: 'dirref', ver: 1 } })
    writeSqlite(path, blobs, [rootref])
    const report = await rescue({ store: path, out })
    expect(report.keys).to.equal(1)
    expect(existsSync(join(out, 'content.sqlite'))).to.equal(true)
    expect(existsSync(join(out, 'kvs.tgz'))).to.equal(false)
    expect(report.problems).to.have.length(1)
    expect(report.problems[0]).to.match(
      /^kvs.tgz: not written: .*more than 10000 directories, one in another; dump the new store with a larger limit \(--max-keys, --max-depth\)$/,
    )
    expect(readFileSync(join(out, 'report.txt'), 'utf8')).to.include(report.problems[0])
    expect(existsSync(join(out, 'report.json'))).to.equal(true)
  })

  it('writes them where a name is longer than an archive takes', async () => {
    const { out, report } = await rescued({ ['n'.repeat(1 << 20)]: val('1'), a: val('2') })
    expect(readdirSync(out).sort()).to.deep.equal(['content.sqlite', 'report.json', 'report.txt'])
    expect(report).to.include({ keys: 2, lostKeyCount: 0 })
    expect(report.problems.join()).to.match(/^kvs.tgz: not written: n+ .*: its names take more than/)
    const lines = readFileSync(join(out, 'report.txt'), 'utf8').split('\n')
    expect(Math.max(...lines.map(({ length }) => length))).to.be.lessThan(1100)
  })

  it('keeps keys whose objects make no sense as they are, and leaves them out of the archive', async () => {
    const entries = { a: val('1'), bad: raw('val', 5), base64: raw('val', '?'), lost: valref('x') }
    const { out, report } = await rescued(entries, (blobs) => blobs.delete(new Blobs().store('x')))
    expect(readdirSync(out).sort()).to.deep.equal(['content.sqlite', 'kvs.tgz', 'report.json', 'report.txt'])
    expect(report).to.include({ keys: 2, lostKeyCount: 3 })
    expect(report.problems).to.deep.equal(['kvs.tgz: without 2 keys that cannot be read'])
    expect(report.lostKeys.map(({ key, remedy }) => `${key} ${remedy}`).sort()).to.deep.equal([
      'bad none',
      'base64 none',
      'lost moved',
    ])
    await using store = await openStore(join(out, 'content.sqlite'))
    const { checked } = await fsck(store)
    expect(checked[0]).to.include({ errors: 2 })
  })

  it('has a report of a tree that a few directories make endless', async () => {
    const jobs = (blobs: Blobs) => {
      const ref = doubled(blobs, blobs.store(blobs.dirText({ v: val('end') })), 30)
      return { job: dir({ '0001': dir({ '0002': dir({ '0003': raw('dirref', [ref]) }) }) }) }
    }
    const { out, report } = await rescued(jobs)
    expect(readdirSync(out).sort()).to.deep.equal(['content.sqlite', 'report.json', 'report.txt'])
    expect(report).to.include({ keys: 2 ** 30, lostKeyCount: 0 })
    expect(report.problems.join()).to.match(/^kvs.tgz: not written: 3,221,225,47\d values, links and directories, in /)
  })
})
