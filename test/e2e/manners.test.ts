/** What a person at a shell, and a script, take for granted. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv } from '../support/processes.ts'
import { readTar } from '../support/read-tar.ts'

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

  for (const stderr of ['2>/dev/full', '2>&-']) {
    it(`writes the archive all the same with ${stderr}`, () => {
      for (const options of ['', '-v', '--ignore-failed-read']) {
        const outfile = join(scratch(), 'x.tar')
        const store = fixture(options === '--ignore-failed-read' ? 'damaged-dangling' : 'basic')
        const script = `"$0" "$1" dump ${options} --store "$2" "$3" ${stderr}`
        const { status } = spawnSync('sh', ['-c', script, process.execPath, CLI, store, outfile], { env: cleanEnv() })
        expect(status).to.equal(0)
        expect(readTar(outfile)).not.to.have.length(0)
      }
    })
  }

  it('says in one line that standard output cannot be written, whatever writes it', () => {
    const store = `--store "${fixture('basic')}"`
    for (const [args, called] of [
      [`dump --json ${store} "${join(scratch(), 'x.tar')}"`, 'flux-ts dump'],
      [`kvs ls --json ${store}`, 'flux-ts kvs ls'],
      [`kvs ls -R ${store}`, 'flux-ts kvs ls'],
      [`dump -q ${store} -`, 'flux-ts dump'],
    ] as const) {
      const script = `"$0" "$1" ${args} > /dev/full`
      const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, CLI], { env: cleanEnv() })
      expect(stderr.toString()).to.equal(`${called}: cannot write standard output: No space left on device\n`)
      expect(status).to.equal(1)
    }
  })

  it('refuses to write an archive to a closed standard output, and does not mind /dev/null', () => {
    const dump = (redirect: string) => {
      const script = `"$0" "$1" dump -q --store "$2" - ${redirect}`
      const args = ['-c', script, process.execPath, CLI, fixture('basic')]
      const { status, stderr } = spawnSync('sh', args, { env: cleanEnv() })
      return { status, stderr: stderr.toString() }
    }
    const closed = dump('>&-')
    expect(closed.status).to.equal(1)
    expect(closed.stderr).to.equal(
      'flux-ts dump: cannot write standard output: it is closed; > /dev/null throws it away\n',
    )
    expect(dump('>/dev/null')).to.deep.equal({ status: 0, stderr: '' })
    expect(dump('>/dev/null 2>&1 </dev/null').status).to.equal(0)
  })
})
