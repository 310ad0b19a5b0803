/** `content` beside the real `flux content`: the same output and exit status for the same arguments. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { CLI, type Outcome } from '../support/processes.ts'
import { runOnStatedir } from '../support/real-statedir.ts'
import { ASKS_REAL, Recorded } from '../support/recorded.ts'

const DIR = 'sha1-29dbaba46c56e298d98b74551ae41459d5fbf02c'
const NO_BLOB = `sha1-${'0'.repeat(40)}`
const ROOT = 'sha1-86c62c2cd8c5e09540cb6501a2e57fc7cf1b750e'

const TABLE = [
  ['checkpoint', 'list'],
  ['checkpoint', 'list', '-n'],
  ['checkpoint', 'list', '--no-header', '-j'],
  ['checkpoint', 'list', '-j'],
  ['checkpoint', 'update', 'bogus'],
  ['load', ROOT],
  ['load', ROOT, DIR, ROOT],
  ['load', '-b', ROOT],
  ['load', '--bypass-cache', DIR],
  ['load', NO_BLOB],
  ['load', DIR, NO_BLOB, ROOT],
  ['load', DIR, 'bogus', ROOT],
  ['load', `sha256-${'0'.repeat(64)}`],
  ['load', 'SHA1-C0A9FAF907DDA6216FD73BF81D0B3B21A1A8CB91'],
]

describe('conformance: content', () => {
  const recorded = new Recorded('content')
  const work = mkdtempSync(join(tmpdir(), 'flux-ts-content-'))
  after(() => {
    recorded.save()
    rmSync(work, { recursive: true, force: true })
  })

  for (const args of TABLE) {
    it(`answers content ${args.join(' ')}`, async () => {
      const statedir = mkdtempSync(join(work, 'state-'))
      cpSync(fixture('checkpoints', 'content.sqlite'), join(statedir, 'content.sqlite'))
      const theirs = await recorded.answer(args, () => runOnStatedir(statedir, 'flux', ['content', ...args]))
      const offline = args.filter((arg) => arg !== '-b' && arg !== '--bypass-cache')
      const ways: (() => Promise<Outcome>)[] = [
        () => runInProcess(['content', ...offline, '--store', fixture('checkpoints')]),
      ]
      if (ASKS_REAL) ways.push(() => runOnStatedir(statedir, process.execPath, [CLI, 'content', ...args]))
      for (const run of ways) {
        const ours = await run()
        expect(ours.stdout.toString()).to.equal(theirs.stdout.toString())
        expect(ours.status).to.equal(theirs.status)
        // After the name of the program, and of the blob, which the C tool does not give.
        const words = /^flux-content: (.*)$/m.exec(theirs.stderr)?.[1] ?? ''
        expect(ours.stderr).to.include(words)
      }
    })
  }
})
