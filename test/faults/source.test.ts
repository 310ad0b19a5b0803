/** Faults of what a command reads: a store, or an archive, that is odd from the start, or that changes meanwhile. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { type FaultCase, faultMatrix, type Scene } from '../support/fault-case.ts'
import type { FaultPoint } from '../support/fault-points.ts'
import { fixture } from '../support/fixtures.ts'
import { whileHeld } from '../support/held-fault.ts'
import { fluxTs } from '../support/processes.ts'

const database = ({ store }: Scene) => join(store, 'content.sqlite')
const archive = ({ store }: Scene) => join(store, 'dump.tgz')

/** Commands that read a store: their arguments. */
const READING: Record<string, (scene: Scene) => string[]> = {
  dump: ({ store, outfile }) => ['dump', '-q', '--store', store, outfile],
  jobs: ({ store }) => ['jobs', '--store', store],
  fsck: ({ store }) => ['fsck', '-q', '--store', store],
  du: ({ store }) => ['du', '--store', store],
  'jobs export': ({ store, outfile }) => ['jobs', 'export', '--store', store, `${outfile}.csv`],
  restore: (scene) => ['restore', '-q', '--store', scene.store, archive(scene)],
}

/** What can be under the name of a store: how it is made, and what is said of it. */
const ODD: Record<string, [make: (path: string) => undefined | (() => void) | Promise<() => void>, error: string]> = {
  'a FIFO': [
    (path) => {
      execFileSync('/usr/bin/mkfifo', [path])
      return undefined
    },
    'is not a regular file',
  ],
  'a socket': [
    (path) =>
      new Promise((resolve) => {
        const server = createServer()
        server.listen(path, () => resolve(() => server.close()))
      }),
    'is not a regular file',
  ],
  'a directory': [(path) => void mkdirSync(path), 'is a directory'],
  'a link to nothing': [(path) => void symlinkSync('gone', path), 'is a link to nothing'],
}

faultMatrix(
  'a store that is',
  Object.entries(ODD).flatMap(([what, [make, error]]) =>
    ['dump', 'jobs', 'fsck', 'du', 'restore'].map(
      (command): FaultCase => ({
        name: `${what}: ${command}`,
        older: command === 'dump',
        args: READING[command] as NonNullable<FaultCase['args']>,
        prepare: async (scene) => {
          rmSync(database(scene))
          return (await make(database(scene))) ?? undefined
        },
        // The socket goes when its server closes.
        storeChanges: true,
        status: 1,
        error: new RegExp(
          `^flux-ts ${command}: /.*/store: not a Flux content store: its content\\.sqlite ${error}; give .*$`,
        ),
      }),
    ),
  ),
)

/** What the file of a store can hold: how it is made so, and what is said of it. */
const BROKEN: Record<string, [make: (path: string) => void, error: RegExp]> = {
  empty: [(path) => truncateSync(path), /: not a Flux content store: its content\.sqlite is empty; give .*$/],
  garbage: [
    (path) => writeFileSync(path, Buffer.alloc(20_000, 'garbage')),
    /: (?:not a Flux content store: its content\.sqlite is )?not an SQLite database; .*$/,
  ],
  'cut off': [(path) => truncateSync(path, 300_000), /: damaged: SQLite calls it malformed; .*$/],
}
faultMatrix(
  'a store whose file is',
  Object.entries(BROKEN).flatMap(([what, [make, error]]) =>
    ['dump', 'jobs', 'fsck', 'du', 'jobs export', 'restore']
      // It makes a new store of an empty file.
      .filter((command) => !(what === 'empty' && command === 'restore'))
      .map(
        (command): FaultCase => ({
          name: `${what}: ${command}`,
          older: command === 'dump',
          args: READING[command] as NonNullable<FaultCase['args']>,
          prepare: (scene) => void make(database(scene)),
          status: 1,
          error: new RegExp(`^flux-ts ${command}: /.*${error.source}`),
        }),
      ),
  ),
)

/** Another connection to the store of a scene. */
function sql(scene: Scene, text: string): void {
  const db = new DatabaseSync(database(scene))
  try {
    db.exec(text)
  } finally {
    db.close()
  }
}

/** The store is found, and looked at, but nothing of it is read. */
const FOUND: FaultPoint = { call: 'exec', on: /^PRAGMA trusted_schema/ }
/** A small store is read, and nothing of the archive is written. */
const READ: FaultPoint = { call: 'openSync', on: /\.part$/ }
/** The archive is written, but has no name. */
const WRITTEN: FaultPoint = { call: 'renameSync', on: /\.part$/ }

const isWhole = ({ outfile }: Scene) =>
  expect(fluxTs(['archive', 'verify', '--store', fixture('jobs'), outfile])).to.include({ status: 0, stderr: '' })

/** What other processes may do to a store that is being read. */
const CHANGES: Record<string, (scene: Scene) => void> = {
  'overwritten with garbage': (scene) => writeFileSync(database(scene), Buffer.alloc(901_120, 'garbage')),
  'cut off': (scene) => truncateSync(database(scene), 100_000),
  emptied: (scene) => truncateSync(database(scene), 0),
  vacuumed: (scene) => sql(scene, 'VACUUM'),
  'written to': (scene) => sql(scene, 'CREATE TABLE t (a); INSERT INTO t VALUES (1)'),
  'replaced by another': (scene) => {
    const other = join(scene.store, 'other')
    copyFileSync(fixture('basic', 'content.sqlite'), other)
    renameSync(other, database(scene))
  },
}
const REFUSED =
  /content\.sqlite: (?:changed while it was read|damaged: .*|not an SQLite database|has no table .*|cannot be opened|disk I\/O error); .*$/
faultMatrix(
  'a store that, before anything of it is read, is',
  Object.entries(CHANGES).flatMap(([what, change]) =>
    ['dump', 'jobs', 'fsck', 'du', 'jobs export'].map(
      (command): FaultCase => ({
        name: `${what}: ${command}`,
        older: command === 'dump',
        args: READING[command] as NonNullable<FaultCase['args']>,
        ...whileHeld(FOUND, change),
        storeChanges: true,
        status: 1,
        error: new RegExp(`^flux-ts ${command}: .*${REFUSED.source}`),
      }),
    ),
  ),
)
faultMatrix(
  'a dump is whole although its store, when it',
  Object.entries({ ...CHANGES, removed: ({ store }: Scene) => rmSync(store, { recursive: true }) }).flatMap(
    ([what, change]) =>
      Object.entries({ 'has been read': READ, 'has been written': WRITTEN }).map(
        ([when, point]): FaultCase => ({
          name: `${when}, is ${what}`,
          ...whileHeld(point, change),
          storeChanges: true,
          status: 0,
          error: undefined,
          leaves: ['x.tar'],
          check: isWhole,
        }),
      ),
  ),
)
faultMatrix('a dump of a store', [
  {
    name: 'that is removed before it is read says so',
    older: true,
    ...whileHeld({ call: 'openSync', on: /content\.sqlite$/ }, ({ store }) => rmSync(store, { recursive: true })),
    storeChanges: true,
    status: 1,
    error: /^flux-ts dump: cannot open store .*: No such file or directory$/,
  },
  {
    name: 'whose write-ahead log grows meanwhile is whole',
    prepare: (scene) => {
      sql(scene, 'PRAGMA journal_mode = WAL')
      const writer = new DatabaseSync(database(scene))
      writer.exec('CREATE TABLE a (a)')
      scene.held.writer = writer
      return () => writer.close()
    },
    ...whileHeld(FOUND, ({ held }) => (held.writer as DatabaseSync).exec('INSERT INTO a VALUES (1)')),
    storeChanges: true,
    status: 0,
    error: undefined,
    leaves: ['x.tar'],
    check: isWhole,
  },
])

/** Commands that read the archive: their arguments. */
const OF_ARCHIVE: Record<string, (scene: Scene) => string[]> = {
  restore: (scene) => ['restore', '-q', '--store', scene.outfile, archive(scene)],
  'archive info': (scene) => ['archive', 'info', archive(scene)],
  'archive verify': (scene) => ['archive', 'verify', archive(scene)],
  jobs: (scene) => ['jobs', '--archive', archive(scene)],
}
/** What can be under the name of an archive. */
const ARCHIVES: Record<string, (path: string) => void> = {
  gone: (path) => rmSync(path),
  empty: (path) => truncateSync(path),
  garbage: (path) => writeFileSync(path, Buffer.alloc(20_000, 'garbage')),
  'cut off': (path) => truncateSync(path, 10_000),
  'a link to nothing': (path) => {
    rmSync(path)
    symlinkSync('gone', path)
  },
}
faultMatrix(
  'an archive that is',
  Object.entries(ARCHIVES).flatMap(([what, make]) =>
    Object.entries(OF_ARCHIVE)
      // It tells each thing that is missing.
      .filter(([command]) => !(what === 'cut off' && command === 'archive verify'))
      .map(
        ([command, args]): FaultCase => ({
          name: `${what}: ${command}`,
          outfile: 'x.sqlite',
          args,
          prepare: (scene) => void make(archive(scene)),
          storeChanges: true,
          status: command === 'archive verify' ? 2 : 1,
          error: new RegExp(`^flux-ts ${command}: .*dump\\.tgz.*$`),
        }),
      ),
  ),
)

const replace = (path: string) => {
  writeFileSync(`${path}.new`, 'another')
  renameSync(`${path}.new`, path)
}
const restoring = {
  outfile: 'x.sqlite',
  args: OF_ARCHIVE.restore as NonNullable<FaultCase['args']>,
  storeChanges: true,
} as const
/** The new store is made, and the archive is not open. */
const MADE: FaultPoint = { call: 'exec', on: /^BEGIN IMMEDIATE/ }
/** All of the archive is read, and stored. */
const STORED: FaultPoint = { call: 'exec', on: /^COMMIT/ }
faultMatrix('a restore whose archive', [
  {
    ...restoring,
    name: 'is removed before it is opened',
    ...whileHeld(MADE, (scene) => rmSync(archive(scene))),
    status: 1,
    error: /^flux-ts restore: cannot open .*dump\.tgz: No such file or directory$/,
  },
  {
    ...restoring,
    name: 'is replaced by something else before it is opened',
    ...whileHeld(MADE, (scene) => replace(archive(scene))),
    status: 1,
    error: /^flux-ts restore: .*dump\.tgz: is text, not an archive; .*$/,
  },
  {
    ...restoring,
    name: 'is cut off before it is opened',
    ...whileHeld(MADE, (scene) => truncateSync(archive(scene), 10_000)),
    status: 1,
    error: /^flux-ts restore: .*dump\.tgz: .*$/,
  },
  ...Object.entries({
    removed: (path: string) => rmSync(path),
    replaced: replace,
    'cut off': (path: string) => truncateSync(path, 100),
  }).map(
    ([what, change]): FaultCase => ({
      ...restoring,
      name: `is ${what} when it has been read is done`,
      ...whileHeld(STORED, (scene) => change(archive(scene))),
      status: 0,
      error: undefined,
      leaves: ['x.sqlite'],
      check: ({ outfile }) => expect(fluxTs(['fsck', '-q', '--store', outfile])).to.include({ status: 0, stderr: '' }),
    }),
  ),
])
