import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { copyOf, expected, fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { readTar } from '../support/read-tar.ts'
import { contents } from '../support/stores.ts'

const PAGE = 4096

/** A statedir whose database has lost its header and its index. */
function damagedStatedir(name: string): string {
  const dir = copyOf(name)
  const path = join(dir, 'content.sqlite')
  const file = readFileSync(path)
  file.fill(0, 0, PAGE)
  for (let at = 0; at < file.length; at += PAGE) if (file[at] === 0x0a) file.fill(0, at, at + PAGE)
  writeFileSync(path, file)
  return dir
}

describe('--salvage', () => {
  it('lets every command read a store that SQLite gives up, and changes nothing in it', async () => {
    const store = damagedStatedir('jobs')
    const before = contents(store)
    const { rootref, entries } = expected('jobs')
    const [first] = entries
    const commands: string[][] = [
      ['dump', '-q', join(scratch(), 'kvs.tar')],
      ['fsck', '--all'],
      ['jobs'],
      ['du'],
      ['diff', '@0', '@0'],
      ['kvs', 'ls', '-R'],
      ['kvs', 'dir'],
      ['kvs', 'get', '--raw', first?.key as string],
      ['kvs', 'getroot', '-b'],
      ['kvs', 'version'],
      ['content', 'checkpoint', 'list'],
      ['content', 'load', rootref],
      ['content', 'roots'],
      ['content', 'stats', '--reachable'],
      ['content', 'validate'],
    ]
    for (const command of commands) {
      const refused = await runInProcess([...command, '--store', store])
      expect(refused.status, command.join(' ')).to.equal(command[0] === 'diff' ? 2 : 1)
      expect(refused.stderr, command.join(' ')).to.match(/if it is damaged, --salvage reads what is left of it/)
      const { status, stdout } = await runInProcess([...command, '--store', store, '--salvage'])
      const whole = await runInProcess([...command, '--store', fixture('jobs')])
      expect(status, command.join(' ')).to.equal(0)
      // The statistics of a file count its free pages, too.
      if (!command.includes('stats')) expect(stdout.toString(), command.join(' ')).to.equal(whole.stdout.toString())
    }
    expect(contents(store)).to.deep.equal(before)
  })

  it('dumps the same as from the whole store', async () => {
    const dumped: Buffer[] = []
    for (const source of [
      ['--store', fixture('values')],
      ['--salvage', '--store', damagedStatedir('values')],
    ]) {
      const outfile = join(scratch(), 'kvs.tar')
      const { status } = await runInProcess(['dump', '-q', ...source, outfile])
      expect(status).to.equal(0)
      dumped.push(readFileSync(outfile))
    }
    expect(dumped[0]?.equals(dumped[1] as Buffer)).to.equal(true)
  })

  it('compares what is left with a whole store', async () => {
    const { status, stdout } = await runInProcess([
      'diff',
      '--salvage',
      damagedStatedir('values'),
      `store:${fixture('values')}`,
    ])
    expect({ status, stdout: stdout.toString() }).to.deep.equal({ status: 0, stdout: '' })
  })

  describe('of an archive', () => {
    /** An archive that is cut off, its keys that are whole, and all keys. */
    async function cutOff(): Promise<{ archive: string; left: string[]; all: string[] }> {
      const archive = join(scratch(), 'kvs.tar')
      await runInProcess(['dump', '-q', '--store', fixture('jobs'), archive])
      const all = readTar(archive).map(({ name }) => name.replaceAll('/', '.'))
      const half = Math.floor(statSync(archive).size / 1024) * 512
      truncateSync(archive, half)
      const { stdout } = await runInProcess(['archive', 'info', '--json', '--salvage', '--ignore-failed-read', archive])
      return { archive, all, left: all.slice(0, JSON.parse(stdout.toString()).keyCount) }
    }

    it('restores the members that are whole, names what is lost, and fails unless that is accepted', async () => {
      const { archive, left, all } = await cutOff()
      expect(left).to.have.length.within(all.length / 4, all.length - 1)
      const refused = await runInProcess(['restore', '-q', '--store', join(scratch(), 'content.sqlite'), archive])
      expect(refused.status).to.equal(1)
      for (const accept of [[], ['--ignore-failed-read']]) {
        const store = join(scratch(), 'content.sqlite')
        const outcome = await runInProcess(['restore', '--salvage', ...accept, '--store', store, archive])
        expect(outcome.status).to.equal(accept.length === 0 ? 1 : 0)
        expect(outcome.stderr).to.match(/kvs\.tar: .*truncated: its content is cut off/)
        expect(outcome.stderr).to.match(/^flux-ts restore: writing snapshot .*; 2 parts of the archive lost$/m)
        const file = join(scratch(), 'again.tar')
        expect(await runInProcess(['dump', '-q', '--store', store, file])).to.have.property('status', 0)
        expect(readTar(file).map(({ name }) => name.replaceAll('/', '.'))).to.deep.equal(left)
      }
    })

    it('shows and reads them', async () => {
      const { archive, left } = await cutOff()
      const info = await runInProcess(['archive', 'info', '--salvage', archive])
      expect(info.status).to.equal(1)
      expect(info.stdout.toString()).to.match(/^lost: +2 parts$/m)
      const json = await runInProcess(['archive', 'info', '--salvage', '--json', archive])
      expect(JSON.parse(json.stdout.toString())).to.include({ lostCount: 2, keyCount: left.length })
      const whole = await runInProcess(['kvs', 'get', '--archive', archive, left[0] as string])
      expect({ status: whole.status, stdout: whole.stdout.toString() }).to.deep.equal({ status: 1, stdout: '' })
      const got = await runInProcess(['kvs', 'get', '--salvage', '--archive', archive, left[0] as string])
      expect(got.status).to.equal(1)
      expect(got.stdout.length).to.be.greaterThan(0)
      const outfile = join(scratch(), 'left.tar')
      const dump = ['dump', '-q', '--salvage', '--archive', archive]
      expect(await runInProcess([...dump, outfile])).to.have.property('status', 1)
      expect(await runInProcess([...dump, '--ignore-failed-read', outfile])).to.have.property('status', 0)
      expect(readTar(outfile)).to.have.length(left.length)
    })

    it('makes no store where no key is left', async () => {
      const { archive } = await cutOff()
      truncateSync(archive, 600)
      const store = join(scratch(), 'content.sqlite')
      const { status, stderr } = await runInProcess([
        'restore',
        '-q',
        '--salvage',
        '--allow-empty',
        '--store',
        store,
        archive,
      ])
      expect(status).to.equal(1)
      expect(stderr).to.include('kvs.tar: no key is left in it')
      expect(existsSync(store)).to.equal(false)
    })
  })

  it('is refused where there is no store to read, and with a repair', async () => {
    for (const [args, words] of [
      [['kvs', 'ls', '--salvage'], '--salvage needs --store or --archive'],
      [['fsck', '--repair', '--salvage', '--store', fixture('basic')], '--repair does not go with --salvage'],
    ] as const) {
      const { status, stderr } = await runInProcess([...args])
      expect(status).to.equal(2)
      expect(stderr).to.include(words)
    }
  })

  it('says where nothing is left', async () => {
    const dir = scratch()
    writeFileSync(join(dir, 'content.sqlite'), Buffer.alloc(100_000))
    const { status, stderr } = await runInProcess(['dump', '--salvage', '--store', dir, join(dir, 'kvs.tar')])
    expect(status).to.equal(1)
    expect(stderr).to.include(`${join(dir, 'content.sqlite')}: no blob of a content store is left in it`)
    rmSync(dir, { recursive: true })
  })
})
