import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { copyOf, expected, fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
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

  it('is refused where there is no store to read, and with a repair', async () => {
    const archive = join(scratch(), 'x.tar')
    for (const [args, words] of [
      [['kvs', 'ls', '--salvage'], '--salvage needs --store'],
      [['kvs', 'ls', '--salvage', '--archive', archive], '--salvage needs --store'],
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
