/** Where the system gives too little: descriptors, or a directory for temporary files. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { copyOf, fixture, scratch } from '../support/fixtures.ts'
import { CLI, cleanEnv, fluxTs, has } from '../support/processes.ts'
import { holder, killed } from '../support/stores.ts'

/** Run the CLI with no more than `files` descriptors. */
function within(files: number, args: readonly string[]) {
  const script = `ulimit -n ${files}; exec "$0" "$@"`
  const result = spawnSync('bash', ['-c', script, process.execPath, CLI, ...args], { env: cleanEnv() })
  return { status: result.status, stderr: result.stderr.toString() }
}

/** As few as are enough for Node.js and oclif alone. */
function fewest(): number {
  for (let files = 20; ; files++) {
    const { status, stderr } = within(files, ['--version'])
    if (status === 0 && stderr === '') return files
  }
}

describe('flux-ts, short of what it needs', () => {
  it('says in one line that too few files may be open, and leaves nothing behind', function () {
    if (!has('xz') || !has('bzip2')) return this.skip()
    const least = fewest() + 2
    const said = new Set<string>()
    for (const name of ['x.zip', 'x.tar.xz', 'x.tar.bz2', 'x/']) {
      for (let files = least; files < least + 12; files += 2) {
        const dir = scratch()
        const { status, stderr } = within(files, ['dump', '-q', '--store', fixture('basic'), join(dir, name)])
        if (status === 0) continue
        expect(status, stderr).to.equal(1)
        expect(stderr.trimEnd().split('\n'), stderr).to.have.length(1)
        expect(stderr).to.match(/^flux-ts dump: /)
        expect(readdirSync(dir)).to.deep.equal([])
        said.add(stderr.replace(/.*(?=: Too many)/, ''))
      }
    }
    expect([...said]).to.include(': Too many open files; raise the limit on open files (ulimit -n)\n')
  })

  it('names the directory in which no temporary file can be made', async () => {
    const crashed = copyOf('basic', 'content.sqlite')
    await killed(await holder(crashed, 'PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0'))
    const zip = join(scratch(), 'x.zip')
    expect(fluxTs(['dump', '-q', '--store', fixture('basic'), zip]).status).to.equal(0)
    const dump = ['dump', '-q', '--store', fixture('values')]
    for (const TMPDIR of ['/proc', join(scratch(), 'absent')]) {
      const env = cleanEnv({ TMPDIR })
      const script = 'exec "$0" "$@" <"$INPUT" >/dev/null'
      for (const [args, input] of [
        [['kvs', 'ls', '--archive', zip], '/dev/null'],
        [[...dump, '--format', 'iso', '-'], '/dev/null'],
        [['restore', '-q', '--dry-run', '-'], zip],
      ] as const) {
        const piped = { env: { ...env, INPUT: input } }
        const pipe = input === zip ? `cat "$INPUT" | "$0" "$@"` : script
        const { status, stderr } = spawnSync('sh', ['-c', pipe, process.execPath, CLI, ...args], piped)
        expect(status).to.equal(1)
        expect(stderr.toString()).to.match(
          new RegExp(`^flux-ts [a-z ]+: cannot [a-z ]+ ${TMPDIR}: No such .*; set TMPDIR to another directory\\n$`),
        )
      }
      // Here the store's own neighbourhood will do.
      const outfile = join(scratch(), 'x.tar')
      expect(fluxTs(['dump', '-q', '--store', crashed, outfile], { env })).to.include({ status: 0, stderr: '' })
    }
  })
})
