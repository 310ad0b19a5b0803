/** What another user has put where everybody may write, to get or to change what we write. */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStoreWriter } from '../../src/content/index.ts'
import { rescue } from '../../src/rescue/index.ts'
import { exportJobs } from '../support/exports.ts'
import { fixture, scratch } from '../support/fixtures.ts'

const STRANGER = 12345
const JOBS = [{ id: 1n << 24n }]

/** A directory as /tmp is. */
function sticky(): string {
  const dir = join(scratch(), 'tmp')
  mkdirSync(dir)
  chmodSync(dir, 0o1777)
  return dir
}

/** A link of another user. */
function planted(target: string, name: string): string {
  const link = join(sticky(), name)
  symlinkSync(target, link)
  lchownSync(link, STRANGER, STRANGER)
  return link
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => new Error('it was written'),
    (error) => error as Error,
  )

describe('what another user has planted', () => {
  before(function () {
    if (process.geteuid?.() !== 0) this.skip()
  })

  it('is no store to restore to', async () => {
    const victim = join(scratch(), 'content.sqlite')
    copyFileSync(fixture('basic', 'content.sqlite'), victim)
    const before = readFileSync(victim)
    const error = await failure(openStoreWriter(planted(victim, 'content.sqlite')))
    expect(error.message).to.match(/a symbolic link of another user in .*, where everybody may write$/)
    expect(readFileSync(victim).equals(before)).to.equal(true)
  })

  it('is given no store that root makes in it', async () => {
    const dir = join(sticky(), 'flux')
    mkdirSync(dir)
    chownSync(dir, STRANGER, STRANGER)
    const path = join(dir, 'content.sqlite')
    await using writer = await openStoreWriter(path)
    const { blobrefs, stored } = writer.storeBatch([Buffer.from('{"data":{},"type":"dir","ver":1}')])
    await stored
    await writer.commit({ rootref: blobrefs[0] as string, sequence: 1, timestamp: 1 })
    const { uid, mode } = statSync(path)
    expect([uid, mode & 0o777]).to.deep.equal([0, 0o600])
  })

  it('takes no results of a rescue', async () => {
    const out = join(sticky(), 'out')
    mkdirSync(out)
    chownSync(out, STRANGER, STRANGER)
    const error = await failure(rescue({ store: fixture('basic'), out }))
    expect(error.message).to.match(/a directory of another user in /)
    expect(readdirSync(out)).to.deep.equal([])
  })

  it('is no history to add jobs to', async () => {
    const victim = join(scratch(), 'history.sqlite')
    await exportJobs(victim, [])
    const before = readFileSync(victim)
    const error = await failure(exportJobs(planted(victim, 'history.sqlite'), JOBS, { append: true }))
    expect(error.message).to.match(/a symbolic link of another user in /)
    expect(readFileSync(victim).equals(before)).to.equal(true)
  })

  it('is no directory to add jobs to', async () => {
    const out = join(sticky(), 'history.parquet')
    mkdirSync(out)
    chownSync(out, STRANGER, STRANGER)
    const error = await failure(exportJobs(out, JOBS, { append: true }))
    expect(error.message).to.match(/a directory of another user in /)
    expect(readdirSync(out)).to.deep.equal([])
  })
})
