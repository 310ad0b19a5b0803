import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { copyOf, expected, fixture, SOUND_CASES, scratch } from '../support/fixtures.ts'
import { fluxTs } from '../support/processes.ts'
import { withoutOrigin } from '../support/read-tar.ts'
import { contents } from '../support/stores.ts'

function succeed(...args: string[]) {
  const result = fluxTs(args)
  if (result.status !== 0) throw new Error(`flux-ts ${args.join(' ')}: ${result.stderr}`)
  return result
}

const storeOf = (name: string) => fixture(name, name === 'files' ? 'content.files' : 'content.sqlite')

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
        expect(withoutOrigin(readFileSync(again)).equals(withoutOrigin(readFileSync(first))), target).to.equal(true)
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
})
