import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { type ContentStore, openStore } from '../../src/content/index.ts'
import { Dump } from '../../src/dump/index.ts'
import {
  contentStats,
  diff,
  du,
  findRoots,
  fsck,
  jobs,
  listDirEntries,
  listKeys,
  loadBlobs,
  validate,
} from '../../src/inspect/index.ts'
import { SnapshotReader } from '../../src/kvs/index.ts'
import { copyOf, expected, scratch } from '../support/fixtures.ts'

const { rootref } = expected('jobs')

/** What is done with a store. Whatever it complains of goes to `complain`. */
type Work = (store: ContentStore, complain: (what: unknown) => void) => Promise<unknown> | AsyncIterable<unknown>

const WORKS: Record<string, Work> = {
  fsck: (store, onFault) => fsck(store, { rootref, onFault }),
  ls: (store, onFault) => listKeys(new SnapshotReader({ store, rootref }), [], { recursive: true, onFault }),
  dir: (store) => listDirEntries(new SnapshotReader({ store, rootref }), '.', { recursive: true, valueBytes: 100 }),
  du: (store, onFault) => du({ store, rootref }, { depth: 1, onFault }),
  jobs: (store) => jobs({ store, rootref, namespace: undefined }),
  diff: (store) => diff({ store, rootref }, { store, rootref: expected('basic').rootref }),
  'content validate': (store, onFault) => validate(store, { onFault }),
  'content load': (store) => loadBlobs(store, [rootref]),
  'content roots': (store, onFault) => findRoots(store, { onFault }),
  'content stats': (store) => contentStats(store, { reachable: true }),
  'content checkpoint list': (store) => store.checkpoints(),
}

async function done(work: Promise<unknown> | AsyncIterable<unknown>): Promise<void> {
  if (work instanceof Promise) await work
  else for await (const _ of work);
}

/** Open a store and have somebody else change it. */
async function changed(change: string): Promise<{ store: ContentStore; path: string }> {
  const path = copyOf('jobs', 'content.sqlite')
  const store = await openStore(path)
  const db = new DatabaseSync(path)
  db.exec(change)
  db.close()
  return { store, path }
}

describe('a store that somebody changes meanwhile', () => {
  for (const change of ['DELETE FROM objects', 'UPDATE objects SET object = randomblob(1000)']) {
    for (const [name, work] of Object.entries(WORKS)) {
      it(`is all that ${name} complains of (${change})`, async () => {
        const { store, path } = await changed(change)
        const complaints: unknown[] = []
        const error = await done(work(store, (what) => complaints.push(what))).catch((error) => error)
        await store.close()
        expect(error).to.include({ code: 'EBUSY', message: `${path}: changed while it was read` })
        expect(complaints).to.deep.equal([])
      })
    }

    for (const ignoreFailedRead of [false, true]) {
      it(`is all that dump complains of (${change}${ignoreFailedRead ? ', --ignore-failed-read' : ''})`, async () => {
        const { store, path } = await changed(change)
        const dir = scratch()
        const complaints: string[] = []
        const options = { store, outfile: join(dir, 'x.tar'), root: rootref, ignoreFailedRead, startSeconds: 1 }
        const dump = new Dump({ ...options, uid: 0, gid: 0, onWarning: (message) => complaints.push(message) })
        const error = await dump.run().catch((error) => error)
        await store.close()
        expect(error).to.include({ code: 'EBUSY', message: `${path}: changed while it was read` })
        expect(complaints).to.deep.equal([])
        expect(readdirSync(dir)).to.deep.equal([])
      })
    }
  }
})
