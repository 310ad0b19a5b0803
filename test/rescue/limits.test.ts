import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { rescue } from '../../src/rescue/index.ts'
import { scratch } from '../support/fixtures.ts'
import { Blobs, val, writeSqlite } from '../support/trees.ts'

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
})
