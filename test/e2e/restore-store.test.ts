/** The built CLI restoring to content stores on disk, with no broker. */
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { createArchive } from '../../src/archive/index.ts'
import { copyOf, expected, fixture, SOUND_CASES, scratch } from '../support/fixtures.ts'
import { fluxTs, startFluxTs, until } from '../support/processes.ts'
import { contents } from '../support/stores.ts'

function succeed(...args: string[]) {
  const result = fluxTs(args)
  if (result.status !== 0) throw new Error(`flux-ts ${args.join(' ')}: ${result.stderr}`)
  return result
}

const storeOf = (name: string) => fixture(name, name === 'files' ? 'content.files' : 'content.sqlite')

/** An archive that takes a while to restore. */
async function largeArchive(file: string, members = 40_000): Promise<void> {
  await using archive = await createArchive(file, {
    attributes: { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 },
  })
  const value = Buffer.alloc(900)
  for (let n = 0; n < members; n++) {
    value.fill(`value ${n} `)
    archive.file(`job/${n >> 8}/${n & 255}/eventlog`, value.length, [value])
    if (n % 1000 === 0) await archive.flush()
  }
  await archive.finish()
}

/** What the files of a directory come to. They come and go meanwhile. */
function bytesIn(dir: string): number {
  let bytes = 0
  for (const name of readdirSync(dir)) bytes += statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0
  return bytes
}

function rootsIn(database: string): string[] {
  const db = new DatabaseSync(database)
  try {
    expect(db.prepare('PRAGMA quick_check').all()).to.have.length(1).and.deep.include({ quick_check: 'ok' })
    return db
      .prepare('SELECT value FROM checkpt_v2 ORDER BY id DESC')
      .all()
      .map(({ value }) => JSON.parse(String(value)).rootref)
  } finally {
    db.close()
  }
}

describe('flux-ts restore --store', () => {
  for (const name of SOUND_CASES) {
    it(`gives ${name} back to the byte, as a dump of what was restored shows`, () => {
      const dir = scratch()
      const { hash } = expected(name)
      for (const target of ['content.sqlite', 'content.files']) {
        const first = join(dir, 'first.tar')
        const again = join(dir, `${target}.tar`)
        succeed('dump', '-q', '--store', storeOf(name), first)
        succeed('restore', '-q', '--hash', hash, '--store', join(dir, target), first)
        succeed('dump', '-q', '--store', join(dir, target), again)
        expect(readFileSync(again).equals(readFileSync(first)), target).to.equal(true)
      }
    })
  }

  it('says what it did, on stderr and as JSON', () => {
    const dir = scratch()
    const store = join(dir, 'content.sqlite')
    const { rootref } = expected('jobs')
    const { stdout, stderr } = succeed('restore', '--json', '--store', store, fixture('jobs', 'dump.tgz'))
    expect(stderr).to.equal('')
    const summary = JSON.parse(stdout.toString()) as { rootref: string }
    expect(summary).to.include({
      target: `checkpoint of ${store}`,
      keyCount: expected('jobs').entries.length,
      hash: 'sha1',
    })
    expect(rootsIn(store)).to.deep.equal([summary.rootref])
    const more = succeed('restore', '--store', dir, fixture('jobs', 'dump.tgz'))
    expect(more.stderr).to.match(
      new RegExp(
        `^flux-ts restore: restored \\d+ keys \\(\\d+ blobs\\)\nflux-ts restore: writing snapshot ${summary.rootref.slice(0, 13)} to checkpoint of ${store}\n$`,
      ),
    )
    expect(rootsIn(store)).to.deep.equal([summary.rootref, summary.rootref])
    expect(rootref).to.match(/^sha1-/)
  })

  it('leaves what is there as it was when the archive turns out to be damaged', () => {
    const statedir = dirname(copyOf('jobs', 'content.sqlite'))
    const before = contents(statedir)
    const bad = join(scratch(), 'bad.tar')
    writeFileSync(bad, readFileSync(fixture('basic', 'dump.tar')).subarray(0, 5000))
    for (const store of [statedir, join(scratch(), 'content.sqlite')]) {
      const { status, stderr } = fluxTs(['restore', '-q', '--store', store, bad])
      expect(status).to.equal(1)
      expect(stderr).to.match(/^flux-ts restore: .*truncated.*\n$/)
    }
    expect(contents(statedir)).to.deep.equal(before)
  })

  it('refuses a store of another algorithm, a live option and a selection of none, each in one line', () => {
    const archive = fixture('jobs', 'dump.tgz')
    const store = copyOf('jobs', 'content.sqlite')
    const cases: [args: string[], status: number, words: RegExp][] = [
      [['--hash', 'sha256', '--store', store], 1, /content\.sqlite: is a store of sha1 blobrefs, not sha256\n$/],
      [['--no-cache', '--store', store], 2, /--no-cache/],
      [['--maxreqs', '3', '--store', store], 2, /--maxreqs/],
      [
        ['--include', 'no/such/*', '--store', store],
        1,
        /dump\.tgz: nothing in it matches the globs; --allow-empty restores an empty KVS\n$/,
      ],
      [['--store', join(dirname(store), 'nothing-here')], 1, /nothing-here: does not exist/],
    ]
    const before = readFileSync(store)
    for (const [args, status, words] of cases) {
      const result = fluxTs(['restore', ...args, archive])
      expect(result.status, args.join(' ')).to.equal(status)
      expect(result.stderr).to.match(words)
    }
    expect(readFileSync(store).equals(before)).to.equal(true)
  })

  it('empties a store only when it is told to', () => {
    const store = copyOf('jobs', 'content.sqlite')
    const before = readFileSync(store)
    const empty = join(scratch(), 'empty.tar')
    writeFileSync(empty, Buffer.alloc(10_240))
    const refused = fluxTs(['restore', '-q', '--store', store, empty])
    expect(refused.status).to.equal(1)
    expect(refused.stderr).to.match(/empty\.tar: holds no keys; --allow-empty restores an empty KVS\n$/)
    expect(readFileSync(store).equals(before)).to.equal(true)
    const { status, stderr } = fluxTs(['restore', '-q', '--allow-empty', '--store', store, empty])
    expect(status).to.equal(0)
    expect(stderr).to.match(/empty\.tar: holds no keys: the KVS will be empty\n$/)
    expect(fluxTs(['kvs', 'ls', '--store', store]).stdout.toString()).to.equal('')
  })

  it('leaves nothing when it is interrupted', async () => {
    const dir = scratch()
    const archive = join(dir, 'large.tar')
    await largeArchive(archive)
    const statedir = join(dir, 'state')
    mkdirSync(statedir)
    const { child, ended } = startFluxTs(['restore', '--store', statedir, archive])
    while (readdirSync(statedir).length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    child.kill('SIGINT')
    expect((await ended).status).to.equal(130)
    expect(readdirSync(statedir)).to.deep.equal([])
  })

  it('leaves a store that is either as it was or complete, whenever it is killed', async () => {
    const dir = scratch()
    const archive = join(dir, 'large.tar')
    await largeArchive(archive, 8_000)
    const rootref = JSON.parse(succeed('restore', '--json', '--dry-run', archive).stdout.toString()).rootref as string
    const old = expected('jobs').checkpoints.map((checkpoint) => checkpoint.rootref)
    mkdirSync(join(dir, 'whole'))
    succeed('restore', '-q', '--store', join(dir, 'whole'), archive)
    const wholeBytes = bytesIn(join(dir, 'whole'))
    const outcomes = { before: 0, complete: 0 }
    const KILLS = 14
    for (let n = 0; n < KILLS; n++) {
      const statedir = join(dir, `state${n}`)
      const database = join(statedir, 'content.sqlite')
      mkdirSync(statedir)
      if (n % 2 === 0) cpSync(fixture('jobs', 'content.sqlite'), database)
      const atFirst = bytesIn(statedir)
      const { child } = startFluxTs(['restore', '-q', '--store', statedir, archive])
      const exited = once(child, 'exit')
      // From the very first, before it has begun, to the end, by what it has written so far.
      const enough = (wholeBytes * 1.1 * (n >> 1)) / (KILLS / 2 - 1)
      await until(() => bytesIn(statedir) - atFirst >= enough, child)
      child.kill('SIGKILL')
      await exited
      if (!existsSync(database)) {
        outcomes.before++
        continue
      }
      // The dump verifies every blob.
      const again = join(dir, 'again.tar')
      succeed('dump', '-q', '--store', statedir, again)
      const [newest, ...others] = rootsIn(database)
      const isComplete = newest === rootref
      outcomes[isComplete ? 'complete' : 'before']++
      if (isComplete) expect(statSync(again).size).to.equal(statSync(archive).size)
      expect(isComplete ? others : [newest, ...others]).to.deep.equal(n % 2 === 0 ? old : [])
    }
    expect(outcomes.before).to.be.above(0)
  })
})
