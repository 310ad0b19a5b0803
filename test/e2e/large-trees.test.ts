import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { doubled } from '../support/large-trees.ts'
import { CLI, fluxTs, run } from '../support/processes.ts'
import { Blobs, val, writeSqlite } from '../support/trees.ts'

/** A store of 31 directories and 2^30 keys. */
function endless(): string {
  const path = join(scratch(), 'content.sqlite')
  const blobs = new Blobs()
  writeSqlite(path, blobs, [doubled(blobs, blobs.store(blobs.dirText({ v: val('end') })), 30)])
  return path
}

describe('e2e: a store with more keys than can be read', () => {
  it('is checked and added up', () => {
    const store = endless()
    expect(fluxTs(['fsck', '--store', store]).status).to.equal(0)
    const { status, stdout } = fluxTs(['du', '--json', '-d', '0', '--store', store])
    expect(status).to.equal(0)
    expect(JSON.parse(stdout.toString()).directories[0]).to.include({ key: '.', keyCount: 2 ** 30 })
  })

  it('is not dumped beyond --max-keys, nor at all without that flag, and nothing is left behind', () => {
    const dir = scratch()
    const { status, stderr } = fluxTs(['dump', '-q', '--max-keys', '5000', '--store', endless(), join(dir, 'x.tar')])
    expect(status).to.equal(1)
    expect(stderr).to.equal(
      'flux-ts dump: more than 5000 values, links and directories; directories may be referred to from many places; --max-keys N allows more\n',
    )
    const counted = fluxTs(['dump', '-q', '--store', endless(), join(dir, 'x.tar')])
    expect(counted.status).to.equal(1)
    expect(counted.stderr).to.equal(
      'flux-ts dump: 3,221,225,470 values, links and directories, in 31 directories that are referred to again and again; --max-keys N allows more\n',
    )
    expect(existsSync(join(dir, 'x.tar'))).to.equal(false)
    expect(readdirSync(dir)).to.deep.equal([])
  })

  it('is listed as JSON as it is read, until the limit is reached or nobody reads any more', () => {
    const store = endless()
    for (const command of ['ls', 'dir']) {
      const argv = ['kvs', command, '-R', '--json', '--store', store]
      const { status, stdout } = fluxTs([...argv, '--max-keys', '20000'])
      const { keys, error } = JSON.parse(stdout.toString())
      expect(status).to.equal(1)
      expect(keys.length).to.be.within(1000, 20_000)
      expect(error).to.include({ code: 'EOVERFLOW' })
      const script = `'${process.execPath}' '${CLI}' ${argv.join(' ')} | head -c 9`
      expect(run('sh', ['-c', script]).toString()).to.equal('{"keys":[')
    }
  })
})
