/** What a person at a shell, and a script, take for granted. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv } from '../support/processes.ts'

/** For bash: descriptor 4 is a pipe whose reader has ended already. */
const UNREAD_PIPE = 'exec 4> >(:); wait $!'

describe('flux-ts', () => {
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
