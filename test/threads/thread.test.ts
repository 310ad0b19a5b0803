import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { copyOf } from '../support/fixtures.ts'
import { has, UNCOUNTED } from '../support/processes.ts'

const STARVED = fileURLToPath(new URL('../support/starved.mjs', import.meta.url))

type Opened = { opened: true } | { code: string; message: string; hint?: string }

function starved(path: string, args: readonly string[], limit = ''): Opened[] {
  const command = [process.execPath, '--no-warnings', STARVED, path, ...args]
  const env = limit === '' ? process.env : { ...process.env, ...UNCOUNTED }
  const child = spawnSync('bash', ['-c', `${limit}\nexec "$@"`, 'bash', ...command], { encoding: 'utf8', env })
  expect(child.stderr).to.equal('')
  expect(child.status).to.equal(0)
  return child.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe('threads/thread', () => {
  it('says in one line that too few files may be open, however few, and opens the store when there are enough', () => {
    const path = copyOf('files', 'content.files')
    const outcomes = starved(path, ['files', '24'], 'ulimit -n 80')
    for (const outcome of outcomes) {
      if ('opened' in outcome) continue
      expect(outcome.message).to.include(path).and.not.to.include('\n')
      expect(outcome.message).to.match(/: Too many open files$|: cannot be opened$/)
    }
    expect(outcomes.at(-1)).to.deep.equal({ opened: true })
    const unstarted = outcomes.filter((outcome) => 'hint' in outcome && /cannot start/.test(outcome.message))
    expect(unstarted).not.to.have.length(0)
    for (const outcome of unstarted) {
      expect(outcome).to.deep.equal({
        code: 'EMFILE',
        message: `${path}: cannot start a thread to work on it: Too many open files`,
        hint: 'raise the limit on open files (ulimit -n)',
      })
    }
  })

  it('says in one line that no thread can be started', function () {
    if (process.platform !== 'linux' || !has('prlimit')) this.skip()
    const path = copyOf('files', 'content.files')
    chmodSync(dirname(path), 0o755)
    expect(starved(path, ['threads'])).to.deep.equal([
      {
        code: 'EAGAIN',
        message: `${path}: cannot start a thread to work on it: Resource temporarily unavailable`,
        hint: 'raise the limit on processes and threads (ulimit -u), or on memory (ulimit -v)',
      },
    ])
  })
})
