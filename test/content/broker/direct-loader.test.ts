import {
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { findBackingFile } from '../../../src/content/broker/backing-file.ts'
import { BrokerStore, type OpenBrokerOptions } from '../../../src/content/index.ts'
import { Dump } from '../../../src/dump/index.ts'
import { Flux } from '../../../src/flux/index.ts'
import { BrokerDouble } from '../../support/broker-double.ts'
import { scratch } from '../../support/fixtures.ts'
import { contents, holder, killed } from '../../support/stores.ts'
import { Blobs, dir, insertBlobs, type Tree, val, valref, writeSqlite } from '../../support/trees.ts'

const PLENTY = Number.POSITIVE_INFINITY

/** That of a store while its file is open. */
const FILE_WINDOW = 1024

/** A tree of many small values and a few large ones. */
function manyKeys(jobs: number): { blobs: Blobs; rootref: string } {
  const blobs = new Blobs()
  const entries: Record<string, Tree> = { large: valref(Buffer.alloc(200_000, 'large'), 'end') }
  for (let n = 0; n < jobs; n++) {
    entries[`job${n}`] = dir({
      eventlog: valref(`submit ${n}\n`, `finish ${n}\n`),
      R: valref(`R ${n} `.repeat(90)),
      n: val(`${n}`),
    })
  }
  return { blobs, rootref: blobs.tree(entries) }
}

function part(blobs: Blobs, isIn: (n: number) => boolean): Blobs {
  const some = new Blobs(blobs.hash)
  let n = 0
  for (const [blobref, blob] of blobs) if (isIn(n++)) some.set(blobref, blob)
  return some
}

/** A broker that has all blobs, whatever is in the file; `pid` has the file open. */
function brokerOf(blobs: Blobs, statedir: string, pid = process.pid, attributes = {}): Promise<BrokerDouble> {
  const content = new Map([...blobs].map(([blobref, blob]) => [blobref.slice(blobref.indexOf('-') + 1), blob]))
  return BrokerDouble.start({
    content,
    attributes: {
      hostname: hostname(),
      'broker.pid': String(pid),
      statedir,
      'content.hash': blobs.hash,
      ...attributes,
    },
  })
}

/** This process as the broker: it holds the database for itself, with a write-ahead log. */
function held(path: string): DatabaseSync & Disposable {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode=WAL; PRAGMA locking_mode=EXCLUSIVE; PRAGMA wal_autocheckpoint=0')
  db.exec('BEGIN IMMEDIATE; COMMIT')
  return Object.assign(db, { [Symbol.dispose]: () => db.isOpen && db.close() })
}

function open(broker: BrokerDouble, options: OpenBrokerOptions = {}): Promise<BrokerStore> {
  return BrokerStore.open(broker.uri, { env: {}, ...options })
}

/** Ask for as many blobs as it takes, and wait until the file is open. */
async function openedFile(broker: BrokerDouble, blobs: Blobs, options?: OpenBrokerOptions): Promise<BrokerStore> {
  const store = await open(broker, options)
  await store.loadBatch([...blobs.keys()].slice(0, 65), PLENTY)
  while (store.window !== FILE_WINDOW) await sleep(1)
  broker.requests.length = 0
  return store
}

/** Dump to a tar, and do something to the file after some members have come. */
async function dumped(store: BrokerStore, root: string, meanwhile = () => {}): Promise<Buffer> {
  const outfile = join(scratch(), 'x.tar')
  let isDone = false
  const onMembers = () => {
    if (!isDone) meanwhile()
    isDone = true
  }
  await new Dump({ store, root, outfile, startSeconds: 1, mtimeSeconds: 1, uid: 0, gid: 0, onMembers }).run()
  return readFileSync(outfile)
}

async function throughBroker(blobs: Blobs, rootref: string): Promise<Buffer> {
  await using broker = await brokerOf(blobs, '/nowhere')
  await using store = await open(broker, { direct: false })
  return await dumped(store, rootref)
}

/** Blobs that the backing store was asked for. */
function loads(broker: BrokerDouble): string[] {
  return broker.requestsOf('content-backing.load').map(({ payload }) => `sha1-${Buffer.from(payload).toString('hex')}`)
}

describe('content/broker/direct-loader', () => {
  it('asks the broker only for what is in the write-ahead log alone, and leaves nothing beside the database', async () => {
    const { blobs, rootref } = manyKeys(400)
    const statedir = scratch()
    const path = join(statedir, 'content.sqlite')
    const isNew = (n: number) => n % 5 === 3
    writeSqlite(
      path,
      part(blobs, (n) => !isNew(n)),
      [rootref],
    )
    const added = part(blobs, isNew)
    const rows = [...added].map(([blobref, blob]) => [blobref.slice(5), Buffer.from(blob).toString('hex')])
    const rowsFile = join(scratch(), 'rows')
    writeFileSync(rowsFile, JSON.stringify(rows))
    const child = await holder(
      path,
      'PRAGMA journal_mode=WAL; PRAGMA locking_mode=EXCLUSIVE; PRAGMA wal_autocheckpoint=0',
      `const add = db.prepare('INSERT INTO objects (hash,size,object) VALUES (CAST(unhex(?) AS TEXT),-1,unhex(?))')
       for (const row of JSON.parse(require('node:fs').readFileSync(${JSON.stringify(rowsFile)}))) add.run(...row)`,
    )
    try {
      const before = contents(statedir)
      await using broker = await brokerOf(blobs, statedir, child.pid)
      await using store = await openedFile(broker, blobs)
      const archive = await dumped(store, rootref)
      expect(archive.equals(await throughBroker(blobs, rootref))).to.equal(true)
      const asked = loads(broker)
      expect(asked.every((blobref) => added.has(blobref))).to.equal(true)
      // Those of the first 65 are in the loader's own cache.
      const first = [...blobs.keys()].slice(0, 65)
      expect(new Set(asked)).to.deep.equal(new Set([...added.keys()].filter((blobref) => !first.includes(blobref))))
      expect(broker.requestsOf('content.load')).to.be.empty
      expect(store.counts.direct).to.be.greaterThan(blobs.size / 2)
      expect(contents(statedir)).to.deep.equal(before)
      expect(readFileSync('/proc/locks', 'utf8')).to.not.match(
        new RegExp(` ${process.pid} \\S+:${statSync(path).ino} `),
      )
    } finally {
      await killed(child)
    }
  })

  /** Their descriptors stay open: closing one would end the locks of this process. */
  const harms: [what: string, harm: (path: string, db: DatabaseSync) => void][] = [
    ['is cut off', (path) => truncateSync(path, 3 * 4096)],
    ['is emptied', (path) => truncateSync(path, 0)],
    [
      'is replaced',
      (path) => {
        writeFileSync(`${path}.new`, 'another file')
        renameSync(`${path}.new`, path)
      },
    ],
    [
      'is overwritten with noise',
      (path) => {
        const noise = Buffer.from(Uint8Array.from({ length: statSync(path).size }, (_, i) => (i * 2654435761) >>> 13))
        writeSync(openSync(path, 'r+'), noise, 0, noise.length, 0)
      },
    ],
    [
      'has all its pages in another order',
      (path) => {
        const file = readFileSync(path)
        const pages = Array.from({ length: file.length / 4096 }, (_, n) => file.subarray(n * 4096, (n + 1) * 4096))
        const mixed = Buffer.concat([pages[0] as Buffer, ...pages.slice(1).reverse()])
        writeSync(openSync(path, 'r+'), mixed, 0, mixed.length, 0)
      },
    ],
    [
      'is vacuumed',
      (_, db) => {
        db.exec('DELETE FROM objects WHERE rowid % 2; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)')
      },
    ],
    [
      'gives its rows to other blobs',
      (_, db) => {
        db.exec(
          'UPDATE objects SET rowid = -rowid; UPDATE objects SET rowid = 1 - rowid - (SELECT min(rowid) FROM objects)',
        )
        db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      },
    ],
  ]
  for (const [what, harm] of harms) {
    it(`dumps the same when the file ${what} meanwhile`, async () => {
      const { blobs, rootref } = manyKeys(1500)
      const statedir = scratch()
      const path = join(statedir, 'content.sqlite')
      writeSqlite(path, blobs, [rootref])
      using db = held(path)
      await using broker = await brokerOf(blobs, statedir)
      await using store = await openedFile(broker, blobs)
      let before = 0
      const archive = await dumped(store, rootref, () => {
        before = store.counts.direct
        harm(path, db)
      })
      expect(before).to.be.greaterThan(0)
      // Whoever has the old file open goes on reading it.
      if (what === 'is replaced') expect(loads(broker)).to.be.empty
      else expect(loads(broker)).to.not.be.empty
      expect(archive.equals(await throughBroker(blobs, rootref))).to.equal(true)
    })
  }

  it('opens the file again when the broker has what most of it lacks', async () => {
    const { blobs } = manyKeys(2500)
    const statedir = scratch()
    const path = join(statedir, 'content.sqlite')
    writeSqlite(path, new Blobs(), [])
    using db = held(path)
    await using broker = await brokerOf(blobs, statedir)
    await using store = await openedFile(broker, blobs)
    const all = [...blobs.keys()]
    let at = 65
    const next = async () => {
      const some = all.slice(at, at + 256)
      at += 256
      await store.loadBatch(some, PLENTY)
      return some.length
    }
    await next()
    expect(store.window).to.not.equal(FILE_WINDOW)
    expect(store.counts.direct).to.equal(0)
    insertBlobs(db, blobs)
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    // It rests for a while, for it was bad from the beginning.
    broker.requests.length = 0
    for (let n = 0; n < 15; n++) expect(loads(broker)).to.have.lengthOf((n + 1) * (await next()) - 256)
    await next()
    while (store.window !== FILE_WINDOW) {
      await sleep(1)
      await store.loadBatch(all.slice(0, 1), PLENTY)
    }
    broker.requests.length = 0
    const results = await store.loadBatch(all.slice(0, 512), PLENTY)
    expect(
      results.every(
        (result, i) => Buffer.compare(result as Uint8Array, blobs.get(all[i] as string) as Uint8Array) === 0,
      ),
    ).to.equal(true)
    expect(loads(broker)).to.be.empty
  })

  it('says what the broker says of a blob that is damaged everywhere, and takes what is damaged in the file alone from the broker', async () => {
    const { blobs } = manyKeys(100)
    const all = [...blobs.keys()]
    const [lost, altered] = [all[3] as string, all[4] as string]
    const statedir = scratch()
    const path = join(statedir, 'content.sqlite')
    const inFile = part(blobs, (n) => n !== 3)
    inFile.set(altered, Buffer.from('something else'))
    writeSqlite(path, inFile, [])
    using _db = held(path)
    await using broker = await brokerOf(
      part(blobs, (n) => n !== 3),
      statedir,
    )
    for (const verify of [true, false]) {
      await using store = await openedFile(
        broker,
        part(blobs, (n) => n > 100),
        { verify },
      )
      const results = await store.loadBatch([lost, altered], PLENTY)
      expect(results[0]).to.have.property('code', 'ENOENT')
      expect(Buffer.from(results[1] as Uint8Array)).to.deep.equal(blobs.get(altered))
      if (verify) expect(await store.checkBatch([altered, lost])).to.have.nested.property('[1].code', 'ENOENT')
    }
  })

  it('leaves out what is beyond the budget, and never all', async () => {
    const { blobs } = manyKeys(100)
    const statedir = scratch()
    const path = join(statedir, 'content.sqlite')
    writeSqlite(
      path,
      part(blobs, (n) => n % 2 === 0),
      [],
    )
    using _db = held(path)
    await using broker = await brokerOf(blobs, statedir)
    await using store = await openedFile(broker, blobs)
    const results = await store.loadBatch([...blobs.keys()].slice(100, 200), 1)
    expect(results.some((result) => result === undefined)).to.equal(true)
    expect(results.some((result) => result instanceof Uint8Array)).to.equal(true)
  })

  it('does not look for the file for the sake of a few blobs, nor with direct: false, nor with noCache', async () => {
    const { blobs } = manyKeys(100)
    const statedir = scratch()
    writeSqlite(join(statedir, 'content.sqlite'), blobs, [])
    using _db = held(join(statedir, 'content.sqlite'))
    await using broker = await brokerOf(blobs, statedir)
    const all = [...blobs.keys()]
    const cases: [OpenBrokerOptions, number][] = [
      [{}, 64],
      [{ direct: false }, all.length],
      [{ noCache: true }, all.length],
    ]
    for (const [options, count] of cases) {
      broker.requests.length = 0
      await using store = await open(broker, options)
      await store.loadBatch(all.slice(0, count), PLENTY)
      await store.close()
      expect(loads(broker)).to.have.lengthOf(count)
      expect(broker.requestsOf('attr.get').map(({ payload }) => Buffer.from(payload).toString())).to.not.match(/pid/)
    }
  })

  it('can be closed while the file is being opened', async () => {
    const { blobs } = manyKeys(100)
    const statedir = scratch()
    writeSqlite(join(statedir, 'content.sqlite'), blobs, [])
    using _db = held(join(statedir, 'content.sqlite'))
    await using broker = await brokerOf(blobs, statedir)
    const store = await open(broker)
    await store.loadBatch([...blobs.keys()].slice(0, 100), PLENTY)
    await store.close()
    await store.close()
  })
})

describe('content/broker/backing-file', () => {
  async function found(attributes: Record<string, string | undefined>): Promise<string | undefined> {
    const statedir = scratch()
    const path = join(statedir, 'content.sqlite')
    writeSqlite(path, new Blobs(), [])
    using _db = held(path)
    await using broker = await brokerOf(new Blobs(), statedir, process.pid, attributes)
    await using flux = await Flux.open(broker.uri, { env: {} })
    const file = await findBackingFile(flux, undefined)
    return file?.path.slice(statedir.length)
  }

  it('is what the process of the broker has open on this host', async () => {
    expect(await found({})).to.equal('/content.sqlite')
    expect(await found({ hostname: 'elsewhere' })).to.equal(undefined)
    expect(await found({ hostname: undefined })).to.equal(undefined)
    expect(await found({ 'broker.pid': undefined })).to.equal(undefined)
    expect(await found({ statedir: undefined })).to.equal(undefined)
    expect(await found({ statedir: scratch() })).to.equal(undefined)
  })

  it('is not what a process that cannot be looked into, or is another, has open', async () => {
    expect(await found({ 'broker.pid': '999999999' })).to.equal(undefined)
    expect(await found({ 'broker.pid': String(process.ppid) })).to.equal(undefined)
  })

  it('is not a file that took the place of the one that the broker has open', async () => {
    const statedir = scratch()
    const path = join(statedir, 'content.sqlite')
    writeSqlite(path, new Blobs(), [])
    using _db = held(path)
    copyFileSync(path, `${path}.copy`)
    renameSync(`${path}.copy`, path)
    await using broker = await brokerOf(new Blobs(), statedir)
    await using flux = await Flux.open(broker.uri, { env: {} })
    expect(await findBackingFile(flux, undefined)).to.equal(undefined)
  })

  it('is looked for in the rundir when there is no statedir', async () => {
    const rundir = scratch()
    writeSqlite(join(rundir, 'content.sqlite'), new Blobs(), [])
    using _db = held(join(rundir, 'content.sqlite'))
    await using broker = await brokerOf(new Blobs(), '', process.pid, { statedir: undefined, rundir })
    await using flux = await Flux.open(broker.uri, { env: {} })
    expect((await findBackingFile(flux, undefined))?.path).to.equal(join(rundir, 'content.sqlite'))
  })
})
