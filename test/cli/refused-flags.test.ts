/** Flags and arguments that do not go together, each with the line that says why. */
import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'

const STORE = ['--store', fixture('jobs', 'content.sqlite')]
const ROOT = `sha1-${'0'.repeat(40)}`

/** The command, its other words, and what the line says after the command. */
const REFUSED: [command: string, words: string[], message: string][] = [
  ['dump', [...STORE, '--checksum', '-'], '--checksum needs a file; name one instead of -'],
  ['dump', [...STORE, '--verify-after', '-'], '--verify-after needs a file; name one instead of -'],
  ['dump', [...STORE, '--checksum', 'd/'], '--checksum needs a file; a directory has none'],
  [
    'dump',
    [...STORE, '--mode', '4755', 'x.tar'],
    '--mode 4755: not permissions; give three octal digits, such as 640, or umask',
  ],
  ['kvs get', ['--watch', '--json', 'a'], '--json does not go with --watch; unless --count says when to end'],
  ['kvs eventlog get', ['--watch', '--json', 'a'], '--json does not go with --watch; unless --count says when to end'],
  ['kvs get', ['--at', '{}', '--watch', 'a'], '--at does not go with --watch; what it names does not change'],
  ['kvs ls', ['--salvage'], '--salvage needs --store or --archive; a live instance has no files to read'],
  ['kvs ls', ['--archive', 'a', ...STORE], '--archive does not go with --store; give one of them'],
  [
    'content validate',
    [...STORE, '-', ROOT],
    '- does not go with another BLOBREF; give all blobrefs on standard input, or name them all',
  ],
  ['content compact', STORE, 'Missing OUTPUT; name the new store, or give --dry-run'],
  ['archive verify', ['-'], '- cannot be verified; name a file'],
  ['archive verify', ['--store', 'a', '--uri', 'local:///x', 'f'], '--store does not go with --uri'],
  ['archive verify', ['--root', 'zz', 'f'], '--root zz: not a blobref'],
  [
    'restore',
    ['--store', 'x', '--dry-run', 'f'],
    '--dry-run does not go with --store; give --dry-run alone: it writes to no target',
  ],
  ['restore', ['--store', 'x', '--key', 'a', 'f'], '--key does not go with --store; a store is restored as a whole'],
  [
    'restore',
    ['--key', '.', 'f'],
    'error updating .: Invalid argument; the root itself cannot be replaced; name a key below it',
  ],
  [
    'restore',
    ['--checkpoint', '--hash', 'sha1', 'f'],
    '--hash is for --store and --dry-run; a live instance has its own',
  ],
  ['restore', ['f'], 'Please specify a restore target with --checkpoint or --key; or --store PATH, with no broker'],
  [
    'restore',
    ['--size-limit', 'x', 'f'],
    "invalid argument for option 'size-limit': x: Invalid argument; examples of sizes: 100M, 1.5G",
  ],
  [
    'jobs',
    [...STORE, '--user', 'no-such-user-here'],
    'no-such-user-here: no such user here; give the userid as a number',
  ],
  ['jobs', [...STORE, '--include', '['], '--include [: neither hosts nor ranks; it looks like node[1-4], or 0-3'],
  ['jobs', [...STORE, '--since', '2999-01-01'], '--since 2999-01-01: it is in the future'],
  ['jobs stats', [...STORE, '--by', 'day,month'], '--by day,month: day and month: there can be only one period'],
  ['jobs stats', [...STORE, '--by', 'user,user'], '--by user,user: user: given twice'],
  [
    'fsck',
    [...STORE, '--repair', '--salvage'],
    '--repair does not go with --salvage; dump what is left, and restore it to a new store',
  ],
  [
    'fsck',
    ['--repair', '--archive', 'x'],
    'an archive cannot be repaired; restore it to a store, and repair that with --store',
  ],
  [
    'rescue',
    [...STORE, '--root', 'zz', '--out', 'd'],
    '--root zz: not a blobref; it looks like sha1- and 40 lower-case hex digits',
  ],
  [
    'job get',
    [...STORE, '--label', '--record', 'R', '1'],
    '--label does not go with --record R; only stdout and stderr have ranks',
  ],
]

/** The line of an error, from its form in JSON. */
function jsonLine(command: string, stdout: Buffer): string {
  const { error } = JSON.parse(stdout.toString())
  return `flux-ts ${command}: ${error.message}; ${error.hint}`
}

describe('flags and arguments that are refused', () => {
  for (const [command, words, message] of REFUSED) {
    it(`${command}: ${message}`, async () => {
      const { status, stdout, stderr } = await runInProcess([...command.split(' '), ...words])
      // With --json the error is on standard output.
      const line = words.includes('--json') ? jsonLine(command, stdout) : stderr.split('\n')[0]
      expect({ status, line }).to.deep.equal({ status: 2, line: `flux-ts ${command}: ${message}` })
    })
  }

  it('a SOURCE_DATE_EPOCH that is no time ends a dump before it makes a file', async () => {
    const dir = scratch()
    const args = ['dump', ...STORE, `${dir}/x.tar`]
    const { status, stderr } = await runInProcess(args, { SOURCE_DATE_EPOCH: 'soon' })
    expect({ status, line: stderr.split('\n')[0], files: readdirSync(dir) }).to.deep.equal({
      status: 2,
      line: 'flux-ts dump: SOURCE_DATE_EPOCH=soon: not a whole number of seconds since 1970',
      files: [],
    })
  })

  for (const words of [['version'], ['getroot', '--sequence']]) {
    it(`kvs ${words.join(' ')} has no answer for a root that is named by its blobref`, async () => {
      const { status, stderr } = await runInProcess(['kvs', ...words, ...STORE, '--root', ROOT])
      expect({ status, stderr }).to.deep.equal({
        status: 1,
        stderr: `flux-ts kvs ${words[0]}: ${ROOT}: a root that is named by its blobref has no sequence number\n`,
      })
    })
  }
})
