/** Wrong usage, in words of our own: oclif is not seen through. */
import { Flags } from '@oclif/core'
import { expect } from 'chai'
import { editDistance, nearest } from '../../src/cli/nearest.ts'
import { usageErrorOf } from '../../src/cli/parse-error.ts'
import { UsageError } from '../../src/cli/usage-error.ts'
import { fixture } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { fluxTs } from '../support/processes.ts'

const ROOT = `sha1-${'0'.repeat(40)}`

describe('wrong usage', () => {
  const wrong: [args: string[], message: string][] = [
    [['dump'], 'missing OUTFILE'],
    [['diff'], 'missing A B'],
    [['dump', 'a.tar', 'b.tar'], 'unexpected argument b.tar'],
    [['dump', 'a.tar', 'b.tar', 'c.tar'], 'unexpected arguments b.tar c.tar'],
    [['dump', '--maxreqs', 'abc', 'x.tar'], '--maxreqs abc: not a whole number'],
    [['dump', '--quiet=true', '--verbose', 'x.tar'], '--quiet=true: --quiet takes no value'],
    [['dump', '--json=x', 'x.tar'], '--json=x: --json takes no value'],
    [['dump', '--no-verify=1', 'x.tar'], '--no-verify=1: --no-verify takes no value'],
    [['fsck', '--rootref', 'foo'], '--rootref foo: not a blobref; it looks like sha1- and 40 lower-case hex digits'],
    [['dump', '--maxreqs', '0', 'x.tar'], '--maxreqs 0: less than 1'],
    [['dump', '--maxreqs', 'x.tar'], '--maxreqs x.tar: not a whole number'],
    [['kvs', 'wait', 'abc'], 'abc: not a whole number'],
    [['kvs', 'wait', '-1'], '-1: less than 0'],
    [['dump', '-q', '-v', 'x.tar'], '--quiet does not go with --verbose'],
    [['dump', '--root', ROOT, '--checkpoint-index', '1', 'x.tar'], '--root does not go with --checkpoint-index'],
    [['fsck', '--drop-damaged'], '--drop-damaged needs --repair'],
    [['fsck', '--checkpoint-index', 'x\ny'], '--checkpoint-index x y: not a whole number'],
    [['restore', '--hash', 'md5', 'x.tar'], '--hash md5: not one of sha1, sha256'],
    [['completion', 'csh'], 'csh: not one of bash, zsh, fish'],
    [['restore', '--hash'], '--hash: a value is missing, one of sha1, sha256'],
    [['dump', '--store'], '--store: a value is missing'],
    [['dump', '--store', 'a', '--store', 'b', 'x.tar'], '--store: given more than once'],
    [['dump', '--maxreq=3', 'x.tar'], '--maxreq: no such flag; did you mean --maxreqs?'],
    [['dump', '--no-verfy', 'x.tar'], '--no-verfy: no such flag; did you mean --no-verify?'],
    [['dump', '--bogus', '-Z', 'x.tar'], '--bogus, -Z: no such flags'],
    [
      ['dump', '--uri', 'foo', 'x.tar'],
      '--uri foo: not a URI; a URI is local:///path/of/socket or ssh://[user@]host[:port]/path/of/socket',
    ],
    [['dump', '--uri', '', 'x.tar'], '--uri: the URI is empty'],
    [
      ['restore', '--uri', '../x', '--key', 'a', 'x.tar'],
      '--uri ../x: not a URI: x is neither . nor ..; a path as URI is /, ., .. or ../.., and so on: the root, the enclosing instance, and those around it',
    ],
  ]
  for (const [args, message] of wrong) {
    it(`${JSON.stringify(args.join(' '))} is answered by three lines, and status 2`, async () => {
      const { status, stdout, stderr } = await runInProcess(args)
      const [line, usage, help, ...more] = stderr.split('\n')
      // The words that are a command.
      const words = line?.slice(0, line.indexOf(': '))
      expect(line).to.equal(`${words}: ${message}`)
      expect(usage).to.match(new RegExp(`^Usage: ${words} \\[OPTIONS\\]`))
      expect({ help, more, status, stdout: stdout.toString() }).to.deep.equal({
        help: `Try '${words} --help' for more information.`,
        more: [''],
        status: 2,
        stdout: '',
      })
    })
  }

  it('is told as JSON with --json: a code, a message, and no more than that', async () => {
    const { status, stdout, stderr } = await runInProcess(['dump', '--json', '--maxreqs', 'abc', 'x.tar'])
    expect({ status, stderr }).to.deep.equal({ status: 2, stderr: '' })
    expect(JSON.parse(stdout.toString())).to.deep.equal({
      error: { code: 'EUSAGE', message: '--maxreqs abc: not a whole number', exit: 2 },
    })
  })

  it('has a code of its own also where we found it', async () => {
    const { stdout } = await runInProcess(['dump', '--json', '--store', fixture('basic'), 'x.bogus'])
    expect(JSON.parse(stdout.toString()).error).to.include({ code: 'EUSAGE', exit: 2 })
  })

  it('is not what a command fails with that was called rightly', async () => {
    const { stdout } = await runInProcess(['dump', '--json', '--store', '/nonexistent', 'x.tar'])
    expect(JSON.parse(stdout.toString()).error).to.include({ code: 'ENOENT', exit: 1 })
  })

  it('is content load without a blobref', () => {
    const { status, stdout, stderr } = fluxTs(['content', 'load', '--store', fixture('basic')], { input: '' })
    expect({ status, stdout: stdout.toString() }).to.deep.equal({ status: 2, stdout: '' })
    expect(stderr).to.match(
      /^flux-ts content load: no blobrefs were specified; name them, or give them on standard input, one on each line\nUsage: .*\nTry .*\n$/,
    )
  })

  it('keeps what a flag of somebody else says of its value', async () => {
    const flag = Flags.string({
      parse: async () => {
        throw new Error('neither hot nor cold')
      },
    })
    // As oclif passes it on.
    const error = await flag
      .parse('x', {} as never, flag as never)
      .catch((thrown: Error) =>
        Object.assign(thrown, { message: `Parsing --tea \n\t${thrown.message}\nSee more help with --help` }),
      )
    expect(usageErrorOf(error)).to.be.instanceOf(UsageError).with.property('message', '--tea: neither hot nor cold')
    expect(usageErrorOf(new Error('unrelated'))).to.equal(undefined)
  })
})

describe('words that are no command', () => {
  const HELP = "Usage: flux-ts COMMAND [OPTIONS] ...\nTry 'flux-ts help' for more information.\n"
  const unknown: [args: string[], line: string][] = [
    [['dmup', 'x.tar'], "dmup: no such command; did you mean 'flux-ts dump'?"],
    [['restroe'], "restroe: no such command; did you mean 'flux-ts restore'?"],
    [['kvs', 'gte', 'a'], "kvs gte: no such command; did you mean 'flux-ts kvs get'?"],
    [['entirely-different'], 'entirely-different: no such command'],
    [['help', 'dupm'], "dupm: no such command; did you mean 'flux-ts dump'?"],
    [['dupm', '--help'], "dupm: no such command; did you mean 'flux-ts dump'?"],
    [['--store', 'X', 'jobs'], '--store: the command comes first; try: flux-ts jobs --store X'],
    [['--store', 'a b', 'kvs', 'ls', '-R'], "--store: the command comes first; try: flux-ts kvs ls --store 'a b' -R"],
    [['--store', 'jobs', 'dump', 'x.tar'], '--store: the command comes first; try: flux-ts dump --store jobs x.tar'],
    [['--bogus'], '--bogus: the command comes first'],
  ]
  for (const words of [
    ['put'],
    ['unlink'],
    ['link'],
    ['mkdir'],
    ['copy'],
    ['move'],
    ['eventlog', 'append'],
    ['namespace', 'create'],
    ['namespace', 'remove'],
  ]) {
    const name = words.join(' ')
    unknown.push([['kvs', ...words, 'a', 'b'], `kvs ${name}: flux-ts kvs only reads; use 'flux kvs ${name}'`])
  }
  for (const [args, line] of unknown) {
    it(`${args.join(' ')} is answered by three lines, and status 2`, () => {
      const { status, stdout, stderr } = fluxTs(args)
      expect({ status, stdout: stdout.toString() }).to.deep.equal({ status: 2, stdout: '' })
      expect(stderr).to.equal(`flux-ts: ${line}\n${HELP}`)
    })
  }

  it('do not reach a terminal as they are', () => {
    const word = 'entirely\u009bdifferent'
    expect(fluxTs([word]).stderr).to.equal(`flux-ts: entirely\\x9bdifferent: no such command\n${HELP}`)
    const json = fluxTs([word, '--json']).stdout.toString()
    expect(json).to.include('\\u009b').and.not.include('\u009b')
    expect(JSON.parse(json).error.message).to.include('\u009b')
  })

  it('are told as JSON with --json', () => {
    const { status, stdout, stderr } = fluxTs(['dmp', '--json'])
    expect({ status, stderr }).to.deep.equal({ status: 2, stderr: '' })
    expect(JSON.parse(stdout.toString()).error).to.deep.equal({
      code: 'EUSAGE',
      message: 'dmp: no such command',
      hint: "did you mean 'flux-ts dump'?",
      exit: 2,
    })
  })
})

describe('the nearest word', () => {
  it('differs by letters put in, taken out, changed, or swapped', () => {
    expect(editDistance('', 'abc')).to.equal(3)
    expect(editDistance('dump', 'dump')).to.equal(0)
    expect(editDistance('dmp', 'dump')).to.equal(1)
    expect(editDistance('dmup', 'dump')).to.equal(1)
    expect(editDistance('restroe', 'restore')).to.equal(1)
    expect(editDistance('ca', 'abc')).to.equal(3)
  })

  it('is none where too much would have to change', () => {
    expect(nearest(['job'], ['jobs', 'du'])).to.equal('jobs')
    expect(nearest(['xy'], ['du', 'ls'])).to.equal(undefined)
    expect(nearest(['reproduce'], ['restore'])).to.equal(undefined)
    expect(nearest(['flux', 'kvs', 'nope'], ['flux:du', 'flux:kvs:ls'])).to.equal(undefined)
    expect(nearest(['flux', 'kvs', 'sl', 'x'], ['flux:kvs:get', 'flux:jobs'])).to.equal(undefined)
    expect(nearest(['kvs', 'gte', 'x'], ['kvs:get', 'kvs:ls'])).to.equal('kvs:get')
  })
})
