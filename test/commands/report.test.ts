import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import * as report from '../../src/report/index.ts'
import { fixture } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'

const STORE = fixture('basic')

describe('report', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'flux-ts-report-'))
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  it('refuses words that do not fit together', async () => {
    writeFileSync(join(dir, 'short'), 'key')
    for (const [args, message] of [
      ['--text a b', '--text does not go with OUTFILE; it prints to standard output'],
      ['', 'OUTFILE is missing; name a file to write, or give --text'],
      ['--redact-key x out.html', '--redact'],
      [`--redact --redact-key ${dir}/nosuch --text ${STORE}`, 'cannot read --redact-key'],
      [
        `--redact --redact-key ${dir}/short --text ${STORE}`,
        `--redact-key ${dir}/short: a key has at least 16 bytes; make one: head -c 32 /dev/urandom >report.key`,
      ],
      [`--root bogus --text ${STORE}`, 'not a blobref'],
      [`--text ${dir}/nosuch`, 'cannot open'],
    ] as const) {
      const { status, stderr } = await runInProcess(['report', ...args.split(' ').filter(Boolean)])
      expect(status, args).to.be.above(0)
      expect(stderr, args).to.include(message)
    }
  })

  it('does not replace the store or the archive that it shows', async () => {
    const archive = fixture('basic', 'dump.tar')
    for (const [source, outfile] of [
      [STORE, join(STORE, 'content.sqlite')],
      [archive, archive],
    ] as const) {
      const { status, stderr } = await runInProcess(['report', source, outfile])
      expect(status).to.equal(2)
      expect(stderr).to.include('this is the source')
    }
  })

  it('replaces no file that is not a report, such as an archive in the place of OUTFILE', async () => {
    const archive = join(dir, 'kvs.tgz')
    const page = join(dir, 'page.html')
    const contents = { [archive]: 'precious', [page]: '<!doctype html>\n<html><title>precious</title>' }
    for (const [file, content] of Object.entries(contents)) writeFileSync(file, content)
    for (const [args, hint] of [
      [[archive], 'give OUTFILE too, or --text'],
      [[STORE, archive], 'give the report another name'],
      [[STORE, page], 'give the report another name'],
    ] as const) {
      const { status, stderr } = await runInProcess(['report', ...args])
      const file = args.at(-1) as string
      expect(status).to.equal(2)
      expect(stderr).to.include(`${file}: this file is no report, and is not replaced`).and.include(hint)
      expect(readFileSync(file, 'utf8')).to.equal(contents[file])
    }
    const { status, stderr } = await runInProcess(['report', STORE.replace(/\/content.sqlite$/, '')])
    expect(status).to.equal(2)
    expect(stderr).to.include('Is a directory; to show what is in it, give OUTFILE too')
  })

  it('has the same tokens with the same key', async () => {
    const key = join(dir, 'key')
    writeFileSync(key, 'short')
    const args = ['report', '--json', '--redact', '--redact-key', key, fixture('jobs')]
    expect((await runInProcess(args)).status).to.equal(2)
    writeFileSync(key, '0123456789abcdef')
    const users = async () => JSON.parse((await runInProcess(args)).stdout.toString()).work.users[0].name
    expect(await users()).to.match(/^user-[0-9a-f]{8}$/)
    expect(await users()).to.equal(await users())
  })

  it('takes its source from flags too, and says how to ask for more', async () => {
    const { stdout } = await runInProcess([
      'report',
      '--json',
      '--store',
      fixture('checkpoints'),
      '--checkpoint-index',
      '1',
    ])
    const { snapshot, health } = JSON.parse(stdout.toString())
    expect(snapshot.kind).to.equal('sqlite')
    const commands = health.findings.map(({ command }: { command: string }) => command)
    expect(commands).to.include(`flux-ts fsck --store ${fixture('checkpoints')} --checkpoint-index 1`)
    // These read all of the store, and have no such flag.
    for (const command of commands.filter((command: string) => / content | --all/.test(command)))
      expect(command).to.not.include('--checkpoint-index')
  })

  it('says with --salvage how to ask for more of a damaged store', async () => {
    const damaged = join(dir, 'content.sqlite')
    const whole = readFileSync(fixture('basic', 'content.sqlite'))
    writeFileSync(damaged, whole.subarray(0, whole.length - 4096))
    const { stdout, stderr } = await runInProcess(['report', '--json', '--salvage', damaged])
    const { health } = JSON.parse(stdout.toString())
    expect(health.findings[0].command, stderr).to.match(/ --store \S+content\.sqlite --salvage/)
  })

  it('exits with 1 when something cannot be read, and prints the rest', async () => {
    const { status, stdout, stderr } = await runInProcess(['report', '--json', fixture('damaged-dangling')])
    expect(status).to.equal(1)
    expect(stderr).to.include('bad.dir: could not load content')
    expect(JSON.parse(stdout.toString()).room.keys).to.be.above(0)
  })

  if ('renderPage' in report) {
    it('writes a file for its owner only, and replaces one', async () => {
      const outfile = join(dir, 'report.html')
      const first = await runInProcess(['report', STORE, outfile])
      expect(first.status, first.stderr).to.equal(0)
      chmodSync(outfile, 0o644)
      const { status, stderr } = await runInProcess(['report', STORE, outfile])
      expect(status, stderr).to.equal(0)
      const { mode, size } = statSync(outfile)
      expect(mode & 0o777).to.equal(0o600)
      expect(size).to.be.above(10_000)
      const printed = await runInProcess(['report', STORE, '-'])
      expect(printed.stdout.toString()).to.match(/^<!doctype html>/i)
    })

    it('has commands that run as they stand, and read the same snapshot', async () => {
      const page = (await runInProcess(['report', `${fixture('jobs')}@0`, '-', '--compare', STORE])).stdout
      const shown = [...page.toString().matchAll(/<p class="command">.*?<bdi>(.*?)<\/bdi>/g)].map(([, text = '']) =>
        text.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&'),
      )
      const commands = [...new Set(shown)]
      expect(commands).to.have.length.above(10)
      for (const command of commands) {
        const words = execFileSync('sh', ['-c', `printf '%s\\0' ${command}`])
          .toString()
          .split('\0')
          .slice(1, -1)
        const { status, stderr } = await runInProcess(words)
        expect(status, `${command}: ${stderr}`).to.be.oneOf(words[0] === 'diff' ? [0, 1] : [0])
        expect(command, 'the source').to.include(fixture('jobs'))
      }
      expect(commands).to.include(`flux-ts jobs stats --by user --store ${fixture('jobs')} --checkpoint-index 0`)
      expect(commands).to.include(`flux-ts content stats --reachable --store ${fixture('jobs')}`)
    })
  }
})
