/** `fsck` beside the real `flux fsck`: the same words, exit status and repaired root for the same damaged store. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { fixture } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { CLI, type Outcome } from '../support/processes.ts'
import { runOnStatedir } from '../support/real-statedir.ts'
import { ASKS_REAL, Recorded } from '../support/recorded.ts'
import { Blobs, dir, raw, symlink, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

const LOST = 'lost blob '.repeat(9)
const lostDir = dir({ lost: val('directory') })
const job = (entries: Record<string, Tree>): Tree =>
  dir({ J: valref('J'.repeat(99)), eventlog: valref('1', '2'), ...entries })

/** Trees, in which what is lost is lost. */
const DAMAGED: Record<string, Record<string, Tree>> = {
  values: {
    testdir: dir({ b: valref('a', LOST, 'c'), c: valref(LOST), d: valref(LOST, LOST), good: valref('good') }),
    bdir: lostDir,
    val: val('hello'),
    'é \t"': valref('x', LOST),
    link: symlink('a.b', 'ns'),
    other: dir({ deep: dir({ er: dir({ gone: lostDir, kept: val('1'), half: valref(LOST, 'b') }) }) }),
  },
  jobs: {
    job: dir({
      '0123': dir({
        '4567': dir({
          '89ab': dir({
            badd: job({ bad: valref('1', LOST), guest: dir({ bad: valref(LOST), good: valref('a'), none: dir({}) }) }),
            cdef: job({ link: symlink('somewhere') }),
            dead: job({ gone: lostDir }),
            feed: job({ bad: valref(LOST), gone: lostDir, link: symlink('x') }),
          }),
        }),
      }),
      short: dir({ bad: valref(LOST) }),
    }),
  },
  again: {
    'lost+found': dir({ a: valref('of before'), b: val('of before') }),
    a: valref('x', LOST),
    c: valref(LOST),
  },
  'not a tree': {
    a: val('1'),
    two: raw('dirref', Array(2).fill(`sha1-${'0'.repeat(40)}`)),
    x: raw('dirref', [new Blobs().store('text')]),
  },
  clean: { a: val('1'), b: dir({ c: valref('2') }) },
}

const OPTIONS = ['', '-v', '-q', '-vq', '-R', '-Rv', '-Rq', '-Rj', '-Rjv', '-Rjq', '-j']

describe('conformance: fsck', () => {
  const recorded = new Recorded('fsck')
  const work = mkdtempSync(join(tmpdir(), 'flux-ts-fsck-'))
  after(() => {
    recorded.save()
    rmSync(work, { recursive: true, force: true })
  })

  const statedirOf = (name: string): string => {
    const statedir = mkdtempSync(join(work, 'state-'))
    if (name === 'damaged-dangling') {
      cpSync(fixture(name, 'content.sqlite'), join(statedir, 'content.sqlite'))
      return statedir
    }
    const blobs = new Blobs()
    blobs.store('text')
    const older = blobs.tree({ older: val('1') })
    const rootref = blobs.tree(DAMAGED[name] as Record<string, Tree>)
    blobs.delete(new Blobs().store(LOST))
    blobs.delete(new Blobs().tree({ lost: val('directory') }))
    writeSqlite(join(statedir, 'content.sqlite'), blobs, name === 'clean' ? [rootref, older] : [rootref])
    return statedir
  }

  /** The newest checkpoint, as an outcome to be recorded. */
  const newest = async (statedir: string): Promise<Outcome> => {
    await using store = await openStore(statedir)
    const [checkpoint] = await store.checkpoints()
    const { rootref, sequence } = checkpoint as { rootref: string; sequence: number }
    return { status: 0, stdout: Buffer.from(`${rootref} ${sequence}`), stderr: '' }
  }

  for (const name of [...Object.keys(DAMAGED), 'damaged-dangling']) {
    for (const option of OPTIONS) {
      const options = option === '' ? [] : [option]

      it(`says and does to "${name}" what flux fsck ${option} does`, async () => {
        const theirs = statedirOf(name)
        const answer = await recorded.answer(['fsck', ...options, name], () =>
          runOnStatedir(theirs, 'flux', ['fsck', ...options]),
        )
        const root = await recorded.answer(['root', ...options, name], () => newest(theirs))
        const ours = statedirOf(name)
        const ways: [string, () => Promise<Outcome>][] = [
          [ours, () => runInProcess(['fsck', ...options, '--store', ours])],
        ]
        if (ASKS_REAL) {
          const live = statedirOf(name)
          ways.push([live, () => runOnStatedir(live, process.execPath, [CLI, 'fsck', ...options])])
        }
        for (const [statedir, run] of ways) {
          const { status, stdout, stderr } = await run()
          // A key stays on its line here, whatever is in it.
          expect(stderr).to.equal(answer.stderr.replaceAll('\t', '\\t'))
          // Unless --quiet is given, a verdict follows, on which flux fsck has nothing to say.
          const wanted = answer.stdout.toString()
          const said = stdout.toString()
          expect(option.includes('q') ? said : said.slice(0, wanted.length)).to.equal(wanted)
          expect(status).to.equal(answer.status)
          expect((await newest(statedir)).stdout.toString()).to.equal(root.stdout.toString())
        }
      })
    }
  }
})
