/**
 * The damage matrix: a store with five checkpoints is damaged in many ways. Each rescue ends in a store that is whole, has
 * every blob that is still in the file and can be reached from what was chosen, and changes nothing of the old one.
 */
import fs, {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { type ContentStore, openStore, openStoreWriter } from '../../src/content/index.ts'
import type { FluxError } from '../../src/errors/index.ts'
import { fsck } from '../../src/inspect/index.ts'
import { decodeDir, dirBlobref, formatJobid, jobKey } from '../../src/kvs/index.ts'
import { type RescueReport, rescue } from '../../src/rescue/index.ts'
import { systemError, withBuiltin } from '../support/builtin.ts'
import { contents, damagePage } from '../support/stores.ts'
import { Blobs, dir, raw, type Tree, val, valref } from '../support/trees.ts'

const JOBS = 40

/** Bytes that do not compress, so that they can be found in the file. */
function text(seed: number): string {
  let state = seed + 7
  return Array.from({ length: 160 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return String.fromCharCode(33 + ((state >>> 16) % 90))
  }).join('')
}

function job(n: number, isDone: boolean): Tree {
  const event = (name: string, context: object) => `${JSON.stringify({ timestamp: 1000 + n, name, context })}\n`
  const log = [event('submit', { userid: 500 + n, urgency: 16, flags: 0, version: 1 })]
  if (isDone) log.push(event('finish', { status: 0 }), event('clean', {}))
  return dir({
    eventlog: valref(log.join('')),
    jobspec: valref(`{"x":"${text(n).replace(/["\\]/g, '-')}"}`),
    J: valref(text(n + 500)),
  })
}

const idOf = (n: number) => BigInt(n + 1) << 40n

/** The tree after `jobs` jobs. */
function treeOf(jobs: number): Record<string, Tree> {
  const levels: Record<string, Record<string, Record<string, Record<string, Tree>>>> = {}
  for (let n = 0; n < jobs; n++) {
    const [, a, b, c, d] = jobKey(idOf(n)).split('.') as [string, string, string, string, string]
    levels[a] ??= {}
    levels[a][b] ??= {}
    levels[a][b][c] ??= {}
    levels[a][b][c][d] = job(n, n < jobs - 2)
  }
  const tree = (level: object, depth: number): Tree =>
    dir(
      Object.fromEntries(
        Object.entries(level).map(([name, inside]) => [name, depth === 3 ? inside : tree(inside, depth + 1)]),
      ),
    )
  return {
    admin: dir({ eventlog: valref(`{"timestamp":${jobs},"name":"restart"}\n`) }),
    checkpoint: dir({ 'job-manager': val(JSON.stringify({ version: 1, max_jobid: 1 })) }),
    job: tree(levels, 0),
    resource: dir({
      eventlog: valref(
        '{"timestamp":1,"name":"drain","context":{"idset":"1","nodelist":"node1","reason":"broken","overwrite":0}}\n',
      ),
    }),
    values: dir(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`v${i}`, valref(text(2000 + i))]))),
  }
}

/** Where the store is, and what is in it. */
interface Made {
  statedir: string
  database: string
  /** Oldest first. */
  roots: string[]
  blobs: Blobs
}

async function makeStore(parent: string, options: { checkpoints: boolean }): Promise<Made> {
  const statedir = join(parent, 'state')
  mkdirSync(statedir)
  const database = join(statedir, 'content.sqlite')
  const blobs = new Blobs()
  const roots = [8, 16, 24, 32, JOBS].map((jobs) => blobs.tree(treeOf(jobs)))
  const all = [...blobs.values()]
  for (const [i, rootref] of roots.entries()) {
    await using writer = await openStoreWriter(database)
    for (let at = 0; i === 0 && at < all.length; at += 100) await writer.storeBatch(all.slice(at, at + 100)).stored
    await writer.commit({ rootref, sequence: 10 + i, timestamp: 1e9 + i })
  }
  if (!options.checkpoints) sql(database, 'DELETE FROM checkpt_v2')
  return { statedir, database, roots, blobs }
}

function sql(database: string, ...statements: string[]): void {
  const db = new DatabaseSync(database)
  for (const statement of statements) db.exec(statement)
  db.close()
}

const hexOf = (blobref: string) => blobref.slice('sha1-'.length)

/** The blobs that can be reached from a root, through directories that `store` still has. */
async function reachable({ blobs }: Made, store: ContentStore, rootref: string): Promise<string[]> {
  const found = new Set<string>()
  const open = [rootref]
  for (let blobref = open.pop(); blobref; blobref = open.pop()) {
    if (found.has(blobref) || (await store.checkBatch([blobref]))[0]) continue
    found.add(blobref)
    for (const entry of Object.values(decodeDir(blobs.get(blobref) as Uint8Array, '', blobref).data)) {
      if (entry.type === 'dirref') open.push(dirBlobref(entry) as string)
      if (entry.type !== 'valref') continue
      for (const part of entry.data) if ((await store.checkBatch([part]))[0] === undefined) found.add(part)
    }
  }
  return [...found]
}

/** Values only: a repaired tree has directories of its own. */
const isValue = ({ blobs }: Made, blobref: string) =>
  !Buffer.from(blobs.get(blobref) as Uint8Array)
    .toString()
    .startsWith('{"data":{')

const MATRIX: Record<
  string,
  { damage: (made: Made) => void; check?: (report: RescueReport, made: Made) => void; mayFail?: boolean }
> = {
  'nothing is wrong': {
    damage: () => {},
    check: ({ chosen, written, lostKeyCount }, { roots }) => {
      expect(chosen).to.deep.include({ rootref: roots[4], checkpointIndex: 0, isWhole: true, isSalvaged: false })
      expect(written).to.deep.equal({ rootref: roots[4], sequence: 14, timestamp: 1e9 + 4 })
      expect(lostKeyCount).to.equal(0)
    },
  },
  'a blob of a value is deleted': {
    damage: ({ database, blobs }) => {
      const blobref = blobs.store(text(2005))
      sql(database, 'PRAGMA secure_delete=ON', `DELETE FROM objects WHERE hash = CAST(x'${hexOf(blobref)}' AS TEXT)`)
    },
    check: ({ lostKeys, chosen }) => {
      expect(chosen.isWhole).to.equal(false)
      expect(lostKeys).to.deep.equal([{ key: 'values.v5', kind: 'missing-value', remedy: 'moved' }])
    },
  },
  'a blob is deleted, and its row is still in the page': {
    damage: ({ database, blobs }) => {
      const blobref = blobs.store(text(2005))
      sql(database, 'PRAGMA secure_delete=OFF', `DELETE FROM objects WHERE hash = CAST(x'${hexOf(blobref)}' AS TEXT)`)
    },
    check: ({ chosen, lostKeyCount }) => {
      expect(chosen).to.include({ isWhole: true, isSalvaged: true, checkpointIndex: 0 })
      expect(lostKeyCount).to.equal(0)
    },
  },
  'a record of a job is deleted': {
    damage: ({ database, blobs }) => {
      const blobref = blobs.store(text(3 + 500))
      sql(database, 'PRAGMA secure_delete=ON', `DELETE FROM objects WHERE hash = CAST(x'${hexOf(blobref)}' AS TEXT)`)
    },
    check: ({ lostKeys }) => {
      expect(lostKeys).to.deep.equal([{ key: `${jobKey(idOf(3))}.J`, kind: 'missing-value', remedy: 'moved' }])
    },
  },
  'one blob of a hundred is deleted': {
    damage: ({ database }) => sql(database, 'PRAGMA secure_delete=ON', 'DELETE FROM objects WHERE rowid % 100 = 1'),
  },
  'all directories of one level are deleted': {
    damage: ({ database, blobs, roots }) => {
      const dirs = roots.map((root) => decodeDir(blobs.get(root) as Uint8Array, '', root).data.job)
      for (const entry of dirs) {
        if (entry?.type !== 'dirref') throw new Error('no job directory')
        sql(
          database,
          'PRAGMA secure_delete=ON',
          `DELETE FROM objects WHERE hash = CAST(x'${hexOf(entry.data[0] as string)}' AS TEXT)`,
        )
      }
    },
    check: ({ lostKeys, lostDirCount, lostJobDirs }) => {
      expect(lostKeys).to.deep.equal([{ key: 'job', kind: 'missing-dir', remedy: 'unlinked' }])
      expect(lostDirCount).to.equal(1)
      expect(lostJobDirs).to.deep.equal(['job'])
    },
  },
  'a page of the table is zeroed': {
    damage: ({ database, blobs }) => {
      blobs.store(text(2009))
      expect(damagePage(database, 'table', Buffer.from(text(2009)))).to.equal(1)
    },
  },
  'a page of the table is noise': {
    damage: ({ database }) => {
      const bytes = readFileSync(database)
      const at = Math.floor(bytes.indexOf(text(2009)) / 4096) * 4096
      for (let i = at; i < at + 4096; i++) bytes[i] = (i * 2654435761) >>> 24
      writeFileSync(database, bytes)
    },
  },
  'all pages of the index are zeroed': {
    damage: ({ database }) => {
      const bytes = readFileSync(database)
      for (let at = 4096; at < bytes.length; at += 4096)
        if (bytes[at] === 0x0a || bytes[at] === 0x02) bytes.fill(0, at, at + 4096)
      writeFileSync(database, bytes)
    },
    check: ({ chosen, lostKeyCount }) => {
      expect(chosen.checkpointIndex).to.equal(0)
      expect(lostKeyCount).to.equal(0)
    },
  },
  'the header page is gone': {
    damage: ({ database }) => writeFileSync(database, readFileSync(database).fill(0, 0, 4096)),
    check: ({ chosen, lostKeyCount }) => {
      expect(chosen).to.include({ isSalvaged: true })
      expect(lostKeyCount).to.equal(0)
    },
  },
  'the rows of checkpoints are gone': {
    damage: ({ database }) => sql(database, 'PRAGMA secure_delete=ON', 'DELETE FROM checkpt_v2'),
    check: ({ chosen }, { roots }) => {
      expect(chosen).to.deep.include({ rootref: roots[4], checkpointIndex: undefined, isWhole: true })
    },
  },
  'the table of checkpoints is gone': {
    damage: ({ database }) => sql(database, 'PRAGMA secure_delete=ON', 'DROP TABLE checkpt_v2'),
    check: ({ chosen }, { roots }) => expect(chosen).to.deep.include({ rootref: roots[4], isWhole: true }),
  },
  'the newest checkpoint names a root that is not there': {
    damage: ({ database }) => {
      const value = JSON.stringify({ version: 1, rootref: `sha1-${'a'.repeat(40)}`, sequence: 99, timestamp: 2e9 })
      sql(database, `INSERT INTO checkpt_v2 (value) VALUES ('${value}')`)
    },
    check: ({ chosen }, { roots }) => {
      expect(chosen).to.deep.include({ rootref: roots[4], checkpointIndex: 1, isWhole: true })
    },
  },
  'a journal is left': {
    damage: (made) => leaveWal(made),
    check: ({ chosen, lostKeyCount }) => {
      expect(chosen).to.include({ checkpointIndex: 0, isWhole: true, isSalvaged: false })
      expect(lostKeyCount).to.equal(0)
    },
  },
  'a journal is left, and cut off': {
    damage: (made) => {
      leaveWal(made)
      const wal = `${made.database}-wal`
      writeFileSync(wal, readFileSync(wal).subarray(0, Math.floor(statSync(wal).size / 2)))
    },
  },
  ...Object.fromEntries(
    [99, 90, 50, 10].map((percent) => [
      `${percent} % of the file are left`,
      {
        damage: ({ database }: Made) => {
          const bytes = readFileSync(database)
          writeFileSync(database, bytes.subarray(0, Math.floor((bytes.length * percent) / 100)))
        },
        mayFail: percent < 90,
      },
    ]),
  ),
}

/** The last rows are in the write-ahead log, as when a broker was killed. */
function leaveWal({ database }: Made): void {
  const copy = `${database}.copy`
  const db = new DatabaseSync(database)
  db.exec('PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TEMP TABLE t AS SELECT * FROM objects')
  db.exec('DELETE FROM objects WHERE rowid > 100; PRAGMA wal_checkpoint(TRUNCATE)')
  db.exec('INSERT OR IGNORE INTO objects SELECT * FROM t')
  for (const suffix of ['', '-wal']) cpSync(database + suffix, copy + suffix)
  db.close()
  for (const suffix of ['', '-wal']) {
    cpSync(copy + suffix, database + suffix)
    rmSync(copy + suffix)
  }
  rmSync(`${database}-shm`, { force: true })
}

describe('rescue: damage', () => {
  let work: string
  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'flux-ts-rescue-'))
  })
  afterEach(() => rmSync(work, { recursive: true, force: true }))

  for (const [what, { damage, check, mayFail }] of Object.entries(MATRIX)) {
    it(`ends in a store that is whole when ${what}`, async () => {
      const made = await makeStore(work, { checkpoints: true })
      damage(made)
      const before = contents(made.statedir)
      const out = join(work, 'out')
      let report: RescueReport
      try {
        report = await rescue({ store: made.statedir, out, nowSeconds: 1.5e9 })
      } catch (error) {
        if (!mayFail) throw error
        expect((error as FluxError).code).to.be.oneOf(['ENOENT', 'EINVAL'])
        expect(contents(out)).to.deep.equal({})
        expect(contents(made.statedir)).to.deep.equal(before)
        return
      }
      expect(contents(made.statedir), 'the old store').to.deep.equal(before)
      expect(Object.keys(contents(out)).sort()).to.deep.equal([
        'content.sqlite',
        'kvs.tgz',
        'report.json',
        'report.txt',
      ])
      await using rescued = await openStore(join(out, 'content.sqlite'))
      expect((await fsck(rescued)).errors).to.equal(0)
      expect((await rescued.checkpoints())[0]).to.deep.equal(report.written)
      // All that is still there.
      await using left = await openStore(made.database, { salvage: true })
      const values = (await reachable(made, left, report.chosen.rootref)).filter((blobref) => isValue(made, blobref))
      const errors = await rescued.checkBatch(values)
      expect(values.filter((_, i) => errors[i])).to.deep.equal([])
      check?.(report, made)
    })
  }

  it('gives back the jobs of a broker that was killed before any checkpoint', async () => {
    const made = await makeStore(work, { checkpoints: false })
    const report = await rescue({ store: made.statedir, out: join(work, 'out') })
    expect(report).to.include({ jobs: JOBS, lostKeyCount: 0, highestJobid: idOf(JOBS - 1) })
    expect(report.activeJobs.map(({ id }) => id)).to.deep.equal([idOf(JOBS - 1), idOf(JOBS - 2)])
    expect(report.drained).to.deep.equal([{ rank: 1, host: 'node1', since: 1, reason: 'broken' }])
    expect(readFileSync(join(work, 'out', 'report.txt'), 'utf8')).to.include(formatJobid(idOf(JOBS - 1)))
  })

  it('takes the root at which a broker was killed, though its checkpoint of the start is whole', async () => {
    const made = await makeStore(work, { checkpoints: false })
    const value = JSON.stringify({ version: 1, rootref: made.roots[0], sequence: 3, timestamp: 1008 })
    sql(made.database, `INSERT INTO checkpt_v2 (value) VALUES ('${value}')`)
    const steps: string[] = []
    const onStep = (line: string) => steps.push(line)
    const report = await rescue({ store: made.statedir, out: join(work, 'out'), nowSeconds: 2000, onStep })
    expect(steps).to.have.length(5)
    expect(steps[0]).to.match(/^checkpoint 0 of 1970-\S+: whole$/)
    expect(steps[1]).to.equal(`${made.database}: 5 roots of the primary namespace, named by a checkpoint or not`)
    expect(steps[2]).to.match(/^root sha1-\w+, which no checkpoint names, with events until 1970-\S+: whole$/)
    expect(steps[3]).to.match(/^content\.sqlite: \d+ blobs, all of them read back$/)
    expect(report.chosen).to.deep.include({ rootref: made.roots[4], checkpointIndex: undefined, isWhole: true })
    expect(report).to.include({ jobs: JOBS, lostKeyCount: 0 })
    expect(report.written).to.deep.equal({ rootref: made.roots[4], sequence: 4, timestamp: 2000 })
  })

  it('finds a whole root behind many that are damaged', async () => {
    const made = await makeStore(work, { checkpoints: false })
    const gone = made.blobs.store('gone')
    const newer = Array.from({ length: 120 }, (_, i) => {
      return made.blobs.tree({ ...treeOf(4), lost: raw('valref', [gone]), n: val(`${i}`) })
    })
    made.blobs.delete(gone)
    {
      await using writer = await openStoreWriter(made.database)
      await writer.storeBatch(newer.map((rootref) => made.blobs.get(rootref) as Uint8Array)).stored
      await writer.commit({ rootref: newer[0] as string, sequence: 1, timestamp: 1 })
    }
    sql(made.database, 'DELETE FROM checkpt_v2')
    const steps: string[] = []
    const report = await rescue({ store: made.statedir, out: join(work, 'out'), onStep: (line) => steps.push(line) })
    expect(steps).to.include(
      `${made.database}: 100 roots or more of the primary namespace, named by a checkpoint or not`,
    )
    expect(report.chosen).to.deep.include({ rootref: made.roots[4], isWhole: true })
  })

  it('does not take a directory that has lost its parent for a root', async () => {
    const made = await makeStore(work, { checkpoints: true })
    for (const root of made.roots) {
      sql(made.database, 'PRAGMA secure_delete=ON', `DELETE FROM objects WHERE hash = CAST(x'${hexOf(root)}' AS TEXT)`)
    }
    const error = await rescue({ store: made.statedir, out: join(work, 'out') }).catch((error: FluxError) => error)
    expect(error).to.include({ code: 'ENOENT' })
    expect(existsSync(join(work, 'out'))).to.equal(false)
  })

  it('leaves none of the directories that it made for results that do not come', async () => {
    const made = await makeStore(work, { checkpoints: true })
    mkdirSync(join(made.statedir, 'there'))
    const before = contents(made.statedir)
    const out = join(made.statedir, 'there', 'a', 'b', 'c')
    const error = await rescue({ store: made.statedir, out }).catch((error: FluxError) => error)
    expect(error).to.include({ code: 'EINVAL' })
    expect(contents(made.statedir)).to.deep.equal(before)
    expect(readdirSync(join(made.statedir, 'there'))).to.deep.equal([])
  })

  it('takes a damaged root before an older whole one that lacks more', async () => {
    const made = await makeStore(work, { checkpoints: true })
    const blobref = made.blobs.store(text(39 + 500))
    sql(made.database, 'PRAGMA secure_delete=ON', `DELETE FROM objects WHERE hash = CAST(x'${hexOf(blobref)}' AS TEXT)`)
    const steps: string[] = []
    const report = await rescue({ store: made.statedir, out: join(work, 'out'), onStep: (line) => steps.push(line) })
    expect(steps).to.include(`root ${made.roots[4]}, which keeps more keys all the same: 1 damaged key`)
    expect(steps).to.include(`${made.database}: reading its pages without SQLite, which finds more`)
    expect(report.chosen).to.include({ rootref: made.roots[4], checkpointIndex: 0, isWhole: false })
    expect(report).to.include({ jobs: JOBS, lostKeyCount: 1, isJobidRaised: false })
    expect(report.lostJobs.map(({ id }) => id)).to.deep.equal([idOf(39)])
  })

  it('raises the highest job id when the root that was named does not know it', async () => {
    const made = await makeStore(work, { checkpoints: true })
    const blobref = made.blobs.store(text(39 + 500))
    sql(made.database, 'PRAGMA secure_delete=ON', `DELETE FROM objects WHERE hash = CAST(x'${hexOf(blobref)}' AS TEXT)`)
    const root = made.roots[3] as string
    const report = await rescue({ store: made.statedir, out: join(work, 'out'), root })
    expect(report.chosen).to.include({ rootref: root, checkpointIndex: undefined, isWhole: true })
    expect(report).to.include({ highestJobid: idOf(JOBS - 1), isJobidRaised: true, jobs: 32 })
    expect(report.newer).to.include({ rootref: made.roots[4], jobs: JOBS })
    await using store = await openStore(join(work, 'out', 'content.sqlite'))
    const [checkpoint] = await store.checkpoints()
    expect(checkpoint?.sequence).to.equal(15)
  })

  it('puts the new store in the place of the old one, which stays beside it', async () => {
    const made = await makeStore(work, { checkpoints: true })
    leaveWal(made)
    const before = contents(made.statedir)
    const steps: string[] = []
    const onStep = (line: string) => steps.push(line)
    const report = await rescue({ store: made.statedir, out: join(work, 'out'), install: true, onStep })
    expect(steps.at(-1)).to.equal(
      `${made.database}: replaced by the new store; the old one is ${made.database}.before-rescue`,
    )
    expect(report.replaced).to.equal(`${made.database}.before-rescue`)
    const after = contents(made.statedir)
    expect(after['content.sqlite.before-rescue']).to.equal(before['content.sqlite'])
    expect(after['content.sqlite.before-rescue-wal']).to.equal(before['content.sqlite-wal'])
    expect(after['content.sqlite']).to.equal(contents(report.out)['content.sqlite'])
    expect(Object.keys(after)).to.have.length(3)
  })

  it('gives the new store to the owner of the old one, with its mode, and finds a free name for that', async function () {
    if (process.geteuid?.() !== 0) return this.skip()
    const made = await makeStore(work, { checkpoints: true })
    chownSync(made.database, 12345, 12346)
    chmodSync(made.database, 0o640)
    writeFileSync(`${made.database}.before-rescue-wal`, 'of an earlier one')
    const report = await rescue({ store: made.statedir, out: join(work, 'out'), install: true })
    expect(report.replaced).to.equal(`${made.database}.before-rescue-2`)
    const { uid, gid, mode } = statSync(made.database)
    expect({ uid, gid, mode: mode & 0o7777 }).to.deep.equal({ uid: 12345, gid: 12346, mode: 0o640 })
  })

  for (const call of ['copyFile', 'fsyncSync', 'linkSync', 'renameSync'] as const) {
    it(`leaves the old store in its place when it cannot be replaced: ${call} fails`, async () => {
      const made = await makeStore(work, { checkpoints: true })
      const before = contents(made.statedir)['content.sqlite']
      const from = call === 'copyFile' ? fs.promises : fs
      const original = from[call as keyof typeof from] as (...args: unknown[]) => unknown
      // Only what concerns the statedir.
      const failing = (...args: unknown[]) => {
        const paths = args.map((arg) => (typeof arg === 'number' ? readlinkSync(`/proc/self/fd/${arg}`) : String(arg)))
        if (paths.some((path) => path.startsWith(made.statedir))) throw systemError('EIO')
        return original(...args)
      }
      const out = join(work, 'out')
      const error: FluxError = await withBuiltin(from, { [call]: failing }, () =>
        rescue({ store: made.statedir, out, install: true }).catch((error) => error),
      )
      expect(error).to.include({ code: 'EIO' })
      expect(error.message).to.equal(`cannot install the rescued store as ${made.database}: Input/output error`)
      const after = contents(made.statedir)
      expect(after['content.sqlite']).to.equal(before)
      expect(Object.keys(after).filter((name) => name.endsWith('.part'))).to.deep.equal([])
      // The rescued store stays where it is.
      await using store = await openStore(join(out, 'content.sqlite'))
      expect(await store.checkpoints()).not.to.have.length(0)
    })
  }

  it('leaves the old store its journals when the new one cannot take its place', async () => {
    const made = await makeStore(work, { checkpoints: true })
    leaveWal(made)
    const before = contents(made.statedir)
    const { renameSync } = fs
    const failing = (from: fs.PathLike, to: fs.PathLike) => {
      if (to === made.database) throw systemError('EIO')
      renameSync(from, to)
    }
    const error: FluxError = await withBuiltin(fs, { renameSync: failing }, () =>
      rescue({ store: made.statedir, out: join(work, 'out'), install: true }).catch((error) => error),
    )
    expect(error).to.include({ code: 'EIO' })
    expect(contents(made.statedir)).to.deep.equal(before)
  })

  it('says so when the new store has its place, but may not be on the disk', async () => {
    const made = await makeStore(work, { checkpoints: true })
    const before = contents(made.statedir)['content.sqlite']
    const { fsync } = fs
    const failing = ((fd: number, done: (error: Error | null) => void) => {
      if (readlinkSync(`/proc/self/fd/${fd}`) === made.statedir) done(systemError('EIO'))
      else fsync(fd, done)
    }) as typeof fs.fsync
    const error: FluxError = await withBuiltin(fs, { fsync: failing }, () =>
      rescue({ store: made.statedir, out: join(work, 'out'), install: true }).catch((error) => error),
    )
    const kept = `${made.database}.before-rescue`
    expect(error).to.include({
      code: 'EIO',
      message: `the rescued store is in its place, ${made.database}, but may not be on the disk: Input/output error`,
      hint: `look at the disk; the old store is ${kept}`,
    })
    const after = contents(made.statedir)
    expect(after['content.sqlite.before-rescue']).to.equal(before)
    expect(after['content.sqlite']).not.to.equal(before)
  })

  it('leaves no half of a report', async () => {
    const made = await makeStore(work, { checkpoints: true })
    const out = join(work, 'out')
    const { fsyncSync } = fs
    const failing = (fd: number) => {
      if (readlinkSync(`/proc/self/fd/${fd}`).includes('report.txt')) throw systemError('ENOSPC')
      fsyncSync(fd)
    }
    const error: FluxError = await withBuiltin(fs, { fsyncSync: failing }, () =>
      rescue({ store: made.statedir, out }).catch((error) => error),
    )
    expect(error).to.include({ code: 'ENOSPC' })
    expect(error.message).to.equal(`cannot write ${join(out, 'report.txt')}: No space left on device`)
    expect(readdirSync(out)).to.include('report.json').and.not.include('report.txt')
    expect(readdirSync(out).filter((name) => name.endsWith('.part'))).to.deep.equal([])
  })

  it('refuses a directory for the results that is not empty, or that is the place of the store', async () => {
    const made = await makeStore(work, { checkpoints: true })
    const out = join(work, 'out')
    mkdirSync(out)
    writeFileSync(join(out, 'x'), '')
    const refused = (path: string) => rescue({ store: made.statedir, out: path }).catch((error: FluxError) => error)
    expect(await refused(out)).to.include({
      code: 'EEXIST',
      message: `${out}: is not empty`,
      hint: 'give --out a directory that is new or empty',
    })
    for (const path of [made.statedir, join(made.statedir, 'out')])
      expect(await refused(path)).to.include({
        code: 'EINVAL',
        message: `${path}: lies in the directory of the store`,
        hint: 'give --out another place',
      })
    expect(dirname(made.database)).to.equal(made.statedir)
  })
})
