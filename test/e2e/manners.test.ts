/** What a person at a shell, and a script, take for granted. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv, fluxTs } from '../support/processes.ts'

/** For bash: descriptor 4 is a pipe whose reader has ended already. */
const UNREAD_PIPE = 'exec 4> >(:); wait $!'

describe('flux-ts', () => {
  it('suggests a command at once, asking nothing, and exits with 2', () => {
    const { status, stdout, stderr } = fluxTs(['dmp', 'x.tar'])
    expect(status).to.equal(2)
    expect(stdout.toString()).to.equal('')
    expect(stderr).to.equal(
      "flux-ts: dmp x.tar: no such command; did you mean 'flux-ts dump'? 'flux-ts help' lists all commands\n",
    )
    expect(fluxTs(['restroe']).stderr).to.include("did you mean 'flux-ts restore'?")
    expect(fluxTs(['entirely-different']).stderr).not.to.include('did you mean')
  })

  it('says so as JSON with --json', () => {
    const { status, stdout, stderr } = fluxTs(['dmp', '--json'])
    expect({ status, stderr }).to.deep.equal({ status: 2, stderr: '' })
    expect(JSON.parse(stdout.toString()).error).to.include({ message: 'dmp: no such command', exit: 2 })
  })

  it('prints what was wrong, and not how it is configured, for wrong use with --json', () => {
    const { status, stdout, stderr } = fluxTs(['dump', '--json', '--bogus', 'x.tar'])
    expect({ status, stderr }).to.deep.equal({ status: 2, stderr: '' })
    expect(JSON.parse(stdout.toString())).to.deep.equal({ error: { message: 'Nonexistent flag: --bogus', exit: 2 } })
  })

  it('says what is wrong in one line, then the usage, then where help is', () => {
    for (const [args, line] of [
      [['dump'], 'Missing 1 required arg: OUTFILE'],
      [['dump', 'a.tar', 'b.tar'], 'Unexpected argument: b.tar'],
      [['dump', '-q', '-v', 'x.tar'], '--quiet=true cannot also be provided when using --verbose'],
      [['dump', '--maxreqs', 'many', 'x.tar'], 'Parsing --maxreqs '],
    ] as const) {
      const [first, ...more] = fluxTs(args).stderr.trimEnd().split('\n')
      expect(first).to.include(`flux-ts dump: ${line}`)
      expect(more).to.deep.equal([
        'Usage: flux-ts dump [OPTIONS] OUTFILE',
        "Try 'flux-ts dump --help' for more information.",
      ])
    }
  })

  for (const args of ['help dump', '--help', 'completion bash', 'kvs ls -R -1']) {
    it(`ends without a word when nobody reads what ${args} prints`, () => {
      const env = cleanEnv({ NODE: process.execPath, CLI, STORE: fixture('jobs', 'content.sqlite') })
      const source = args.startsWith('kvs') ? '--store "$STORE"' : ''
      const script = `${UNREAD_PIPE}; "$NODE" "$CLI" ${args} ${source} >&4; echo "exit $?" >&2`
      const { stderr } = spawnSync('bash', ['-c', script], { env })
      expect(stderr.toString()).to.equal('exit 1\n')
    })
  }

  it('goes on when nobody reads its warnings and progress', () => {
    const outfile = join(scratch(), 'x.tar')
    const env = cleanEnv({ NODE: process.execPath, CLI, STORE: fixture('damaged-dangling'), OUTFILE: outfile })
    const dump = '"$NODE" "$CLI" dump --ignore-failed-read --store "$STORE" "$OUTFILE"'
    const script = `${UNREAD_PIPE}; ${dump} >&4 2>&4; echo "exit $?" >&3`
    const { output } = spawnSync('bash', ['-c', script], { env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
    expect(String(output[3])).to.equal('exit 0\n')
  })
})
