/**
 * Writes a `content.sqlite` shaped like the history of a busy system instance: for each job a directory
 * `job.XXXX.XXXX.XXXX.XXXX` with `eventlog` (one blob for each append), `jobspec`, `R` and `J`.
 * Same schema, LZ4 rule and hash storage as the content-sqlite module (flux-core `content-sqlite.c`).
 */
import { createHash, hash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import lz4 from 'lz4-napi'
import { random } from './random.ts'

type TreeObj = { data: unknown; type: string; ver: 1 }

/**
 * Write the store.
 *
 * @param path - the file to write; an existing one is removed
 * @param keys - how many keys; each job has four
 */
export function generateStore(path: string, keys: number): { rootref: string; keys: number; objects: number } {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000')
  db.exec('CREATE TABLE objects( hash BLOB PRIMARY KEY, size INT, object BLOB, epoch INT DEFAULT 0)')
  db.exec('CREATE TABLE checkpt_v2( id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, value TEXT)')
  const insert = db.prepare('INSERT OR IGNORE INTO objects (hash,size,object) VALUES (CAST(? AS TEXT),?,?)')
  db.exec('BEGIN')
  let objects = 0
  const store = (data: string): string => {
    const bytes = Buffer.from(data)
    const digest = createHash('sha1').update(bytes).digest()
    if (bytes.length < 256) objects += Number(insert.run(digest, -1, bytes).changes)
    else objects += Number(insert.run(digest, bytes.length, lz4.compressSync(bytes).subarray(4)).changes)
    return `sha1-${hash('sha1', bytes, 'hex')}`
  }
  const storeDir = (entries: Record<string, TreeObj>): TreeObj => {
    const data: Record<string, TreeObj> = {}
    for (const name of Object.keys(entries).sort()) data[name] = entries[name] as TreeObj
    return { data: [store(JSON.stringify({ data, type: 'dir', ver: 1 }))], type: 'dirref', ver: 1 }
  }
  const rand = random(42)
  const hex = (digits: number) =>
    Math.floor(rand() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  const jobs: Record<string, Record<string, Record<string, Record<string, TreeObj>>>> = {}
  let id = 0x0000_0002_3d00_0000n
  let time = 1_795_000_000
  for (let n = 0; n < keys; n += 4) {
    id += BigInt(Math.floor(rand() * 60_000_000))
    time += rand() * 3
    const event = (name: string, context: object) =>
      `${JSON.stringify({ timestamp: Number((time += rand()).toFixed(7)), name, context })}\n`
    const val = (text: string): TreeObj => ({ data: [store(text)], type: 'valref', ver: 1 })
    const ranks = `${Math.floor(rand() * 900)}-${Math.floor(900 + rand() * 900)}`
    const jobspec = val(
      JSON.stringify({
        resources: [
          {
            type: 'node',
            count: 4,
            with: [{ type: 'slot', count: 1, with: [{ type: 'core', count: 8 }], label: 'task' }],
          },
        ],
        tasks: [
          { command: ['/usr/bin/app', '--input', hex(12), '--seed', hex(8)], slot: 'task', count: { per_slot: 1 } },
        ],
        attributes: {
          system: {
            duration: 0,
            cwd: `/home/user${hex(2)}/run-${hex(6)}`,
            shell: { options: { rlimit: { cpu: -1, nofile: 1024, stack: 8388608 } } },
          },
        },
        version: 1,
      }),
    )
    const J = val(
      Buffer.from(Array.from({ length: 110 }, () => hex(12)).join(''))
        .subarray(0, 600 + Math.floor(rand() * 500))
        .toString(),
    )
    const eventlog = [
      store(
        event('submit', { userid: 1000 + Math.floor(rand() * 50), urgency: 16, flags: 0, version: 1 }) +
          event('validate', {}),
      ),
      store(event('depend', {}) + event('priority', { priority: 16 })),
      store(
        event('alloc', { annotations: { sched: { resource_summary: `rank[${ranks}]/core[0-7]` } } }) +
          event('start', {}),
      ),
    ]
    const R = val(
      JSON.stringify({
        version: 1,
        execution: {
          R_lite: [{ rank: ranks, children: { core: '0-7', gpu: '0-3' } }],
          nodelist: [`node[${ranks}]`],
          starttime: time,
          expiration: time + 3600,
          properties: { batch: ranks },
        },
        padding: hex(10).repeat(20),
      }),
    )
    const part = id.toString(16).padStart(16, '0')
    const key = [0, 4, 8, 12].map((at) => part.slice(at, at + 4)) as [string, string, string, string]
    const job = storeDir({ eventlog: { data: eventlog, type: 'valref', ver: 1 }, jobspec, J, R })
    const level1 = (jobs[key[0]] ??= {})
    const level2 = (level1[key[1]] ??= {})
    const level3 = (level2[key[2]] ??= {})
    level3[key[3]] = job
  }
  const mapDirs = <T>(from: Record<string, T>, make: (value: T) => TreeObj) =>
    storeDir(Object.fromEntries(Object.entries(from).map(([name, value]) => [name, make(value)])))
  const job = mapDirs(jobs, (a) => mapDirs(a, (b) => mapDirs(b, (c) => storeDir(c))))
  const rootref = ((storeDir({ job }).data as string[])[0] as string) ?? ''
  db.prepare('INSERT INTO checkpt_v2 (value) VALUES (?)').run(
    `{"version":1,"rootref":"${rootref}","sequence":1,"timestamp":${time.toFixed(3)}}`,
  )
  db.exec('COMMIT')
  db.close()
  return { rootref, keys: Math.ceil(keys / 4) * 4, objects }
}
