import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { contents, holder, killed } from '../support/stores.ts'

/** A copy of a fixture's store. */
function copyOf(name: string): string {
  const statedir = join(scratch(), 'state')
  mkdirSync(statedir)
  cpSync(fixture(name, 'content.sqlite'), join(statedir, 'content.sqlite'))
  return statedir
}

describe('rescue', () => {
  it('tells each step on stderr, prints the report, and writes the same beside the store', async () => {
    const statedir = copyOf('jobs')
    const out = join(scratch(), 'out')
    const { status, stdout, stderr } = await runInProcess(['rescue', '--store', statedir, '--out', out])
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/^flux-ts rescue: checkpoint 0 of .*: whole$/m)
    expect(stdout.toString()).to.equal(readFileSync(join(out, 'report.txt'), 'utf8'))
    expect(stdout.toString()).to.include('Lost: nothing below this root.')
    expect(stdout.toString()).to.include(`mv ${statedir}/content.sqlite ${statedir}/content.sqlite.damaged`)
    const listed = await runInProcess(['jobs', '--json', '--store', out])
    const before = await runInProcess(['jobs', '--json', '--store', statedir])
    expect(listed.stdout.toString()).to.equal(before.stdout.toString())
  })

  it('is silent with --quiet, and prints the same as report.json with --json', async () => {
    const statedir = copyOf('jobs')
    const quiet = await runInProcess(['rescue', '-q', '--store', statedir, '--out', join(scratch(), 'out')])
    expect([quiet.status, quiet.stdout.toString(), quiet.stderr]).to.deep.equal([0, '', ''])
    const out = join(scratch(), 'out')
    const json = await runInProcess(['rescue', '--json', '--store', statedir, '--out', out])
    expect(json.stderr).to.equal('')
    expect(JSON.parse(json.stdout.toString())).to.deep.equal(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')))
  })

  it('takes a root by name, and names what is lost', async () => {
    const statedir = copyOf('damaged-dangling')
    const { stdout } = await runInProcess(['content', 'checkpoint', 'list', '--json', '--store', statedir])
    const { rootref } = JSON.parse(stdout.toString()).checkpoints[0]
    const out = join(scratch(), 'out')
    const rescued = await runInProcess(['rescue', '--root', rootref, '--store', statedir, '--out', out])
    expect(rescued.status, rescued.stderr).to.equal(0)
    expect(rescued.stdout.toString()).to.match(/^Lost: .*damaged value/m)
    expect(rescued.stdout.toString()).to.match(/missing value, the rest is in lost\+found$/m)
    const checked = await runInProcess(['fsck', '-q', '--all', '--store', out])
    expect(checked.status, checked.stderr).to.equal(0)
  })

  it('refuses a root that is none, and one that is not there, and leaves nothing', async () => {
    const statedir = copyOf('basic')
    const out = join(scratch(), 'out')
    const bogus = await runInProcess(['rescue', '--root', 'x', '--store', statedir, '--out', out])
    expect([bogus.status, bogus.stderr.split('\n')[0]]).to.deep.equal([
      2,
      'flux-ts rescue: --root x: not a blobref; it looks like sha1- and 40 lower-case hex digits',
    ])
    const missing = `sha1-${'a'.repeat(40)}`
    const lost = await runInProcess(['rescue', '--root', missing, '--store', statedir, '--out', out])
    expect(lost.status).to.equal(1)
    const database = join(statedir, 'content.sqlite')
    expect(lost.stderr.trim().split('\n').at(-1)).to.equal(
      `flux-ts rescue: ${database}: no ${missing} in what is left of it; content roots --salvage --all --store ${database} lists directories that are left; --root takes one`,
    )
    expect(existsSync(out)).to.equal(false)
  })

  it('says that a content.files has no root left, and is not replaced', async () => {
    const statedir = join(scratch(), 'state')
    const database = join(statedir, 'content.files')
    cpSync(fixture('files', 'content.files'), database, { recursive: true })
    const rescued = (...args: string[]) =>
      runInProcess(['rescue', '--store', statedir, '--out', join(scratch(), 'out'), ...args])
    expect((await rescued('--install')).stderr).to.equal(
      `flux-ts rescue: ${database}: --install replaces a content.sqlite, and this is a directory; leave out --install, and start an instance from the content.sqlite that is made\n`,
    )
    for (const name of readdirSync(database)) writeFileSync(join(database, name), 'lost')
    expect((await rescued()).stderr.trim().split('\n').at(-1)).to.equal(
      `flux-ts rescue: ${database}: no root in it can be read`,
    )
  })

  it('says so in one line where nothing is left', async () => {
    const statedir = join(scratch(), 'state')
    mkdirSync(statedir)
    writeFileSync(join(statedir, 'content.sqlite'), Buffer.alloc(20_000))
    const { status, stderr } = await runInProcess(['rescue', '--store', statedir, '--out', join(scratch(), 'out')])
    expect(status).to.equal(1)
    expect(stderr.trim().split('\n').at(-1)).to.match(/no blob of a content store is left in it/)
  })

  it('does not replace a store that a process holds', async () => {
    const statedir = copyOf('basic')
    const database = join(statedir, 'content.sqlite')
    const broker = await holder(database, 'PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE')
    try {
      const out = join(scratch(), 'out')
      const { status, stderr } = await runInProcess(['rescue', '--install', '--store', statedir, '--out', out])
      expect(status).to.equal(1)
      expect(stderr).to.match(/held by process \d+/)
    } finally {
      await killed(broker)
    }
    expect(Object.keys(contents(statedir)).filter((name) => !/-(wal|shm|journal)$/.test(name))).to.deep.equal([
      'content.sqlite',
    ])
  })
})
