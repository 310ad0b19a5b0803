import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { scratch } from '../support/fixtures.ts'
import { contents } from '../support/stores.ts'
import { Blobs, val, writeSqlite } from '../support/trees.ts'

const STORING = fileURLToPath(new URL('../support/storing.mjs', import.meta.url))

interface Outcome {
  stored: number
  failures: { code: string; message: string; hint: string }[]
  commit: 'done' | { code: string; message: string; hint: string }
}

/** Store batches of a megabyte in another process. @param limit - what the shell is to do before */
function store(path: string, megabytes: number, limit = ''): Outcome {
  const args = [process.execPath, '--no-warnings', STORING, path, String(megabytes), '10', '100000']
  const child = spawnSync('bash', ['-c', `${limit}\nexec "$@"`, 'bash', ...args], { encoding: 'utf8' })
  expect(child.stderr).to.equal('')
  return JSON.parse(child.stdout)
}

/** A statedir with a store of one small tree. */
function statedir(dir: string, journal: string): string {
  const blobs = new Blobs()
  writeSqlite(join(dir, 'content.sqlite'), blobs, [blobs.tree({ a: val('1') })], journal)
  return dir
}

/** Work in a file system of a size of its own; only root can make one. */
function onSmallDisk(bytes: number, work: (dir: string) => void): boolean {
  const dir = join(scratch(), 'disk')
  mkdirSync(dir)
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir])
  if (mount.status !== 0) return false
  try {
    work(dir)
  } finally {
    spawnSync('umount', [dir])
  }
  return true
}

function expectFailed({ failures, commit }: Outcome, code: 'EIO' | 'ENOSPC', path: string): void {
  const errors = commit === 'done' ? failures : [...failures, commit]
  expect(commit).not.to.equal('done')
  // One error, for all that came after.
  expect(new Set(errors.map((error) => JSON.stringify(error))).size).to.equal(1)
  expect(errors[0]?.code).to.equal(code)
  expect(errors[0]?.message).to.match(new RegExp(`^${path}: `))
  const hints = {
    EIO: 'look at the disk, at its quota and at the limit on file sizes; the store is as it was',
    ENOSPC: 'make room; the store is as it was',
  }
  expect(errors[0]?.hint).to.equal(hints[code])
}

// SQLite holds 64 MB of pages in memory: less fails at the commit, more while batches are under way.
for (const [when, megabytes] of [
  ['at the commit', 12],
  ['while blobs are on their way', 80],
] as const) {
  describe(`content/full-disk, ${when}`, () => {
    for (const journal of ['DELETE', 'WAL']) {
      it(`leaves a store in ${journal} mode as it was when a write fails`, () => {
        const dir = statedir(scratch(), journal)
        const before = contents(dir)
        // In units of 1024 bytes.
        expectFailed(store(dir, megabytes, 'ulimit -f 8000'), 'EIO', join(dir, 'content.sqlite'))
        expect(contents(dir)).to.deep.equal(before)
      })

      it(`leaves a store in ${journal} mode as it was when the disk is full`, function () {
        const done = onSmallDisk(8 << 20, (disk) => {
          const dir = statedir(disk, journal)
          const before = contents(dir)
          expectFailed(store(dir, megabytes), 'ENOSPC', join(dir, 'content.sqlite'))
          expect(contents(dir)).to.deep.equal(before)
        })
        if (!done) this.skip()
      })
    }

    it('leaves nothing of a store that is new when a write fails', () => {
      const dir = scratch()
      expectFailed(store(join(dir, 'content.sqlite'), megabytes, 'ulimit -f 8000'), 'EIO', join(dir, 'content.sqlite'))
      expect(readdirSync(dir)).to.deep.equal([])
    })

    it('leaves nothing of a store that is new when the disk is full', function () {
      const done = onSmallDisk(8 << 20, (dir) => {
        expectFailed(store(join(dir, 'content.sqlite'), megabytes), 'ENOSPC', join(dir, 'content.sqlite'))
        expect(readdirSync(dir)).to.deep.equal([])
      })
      if (!done) this.skip()
    })
  })
}

describe('content/full-disk', () => {
  it('says that all is stored when only the write-ahead log had room, and keeps that', async function () {
    let after: Promise<unknown> | undefined
    const done = onSmallDisk(3 << 20, (disk) => {
      const dir = statedir(disk, 'WAL')
      const { failures, commit } = store(dir, 2)
      expect(failures).to.deep.equal([])
      expect(commit).to.deep.include({ code: 'ENOSPC' })
      const { message, hint } = commit as { message: string; hint: string }
      expect(message).to.match(/everything is stored, but part of it only in .*content\.sqlite-wal$/)
      expect(hint).to.equal('make room and keep that file: whoever opens the store next moves it into the database')
      // With room, all of it is there.
      const copy = scratch()
      for (const name of ['content.sqlite', 'content.sqlite-wal']) {
        spawnSync('cp', [join(dir, name), join(copy, name)])
      }
      after = (async () => {
        await using opened = await openStore(copy)
        const [newest, ...others] = await opened.checkpoints()
        expect(others).to.have.length(1)
        expect(await opened.checkBatch([newest?.rootref as string])).to.deep.equal([undefined])
      })()
    })
    if (!done) this.skip()
    await after
  })

  it('folds what a crash has left into the database before it writes', () => {
    const dir = statedir(scratch(), 'WAL')
    expect(store(dir, 1)).to.deep.include({ failures: [], commit: 'done' })
    expect(readdirSync(dir)).to.deep.equal(['content.sqlite'])
    expect(readFileSync(join(dir, 'content.sqlite')).length).to.be.greaterThan(1_000_000)
  })
})
