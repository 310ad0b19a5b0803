/** Stores that were rescued, and a real Flux that is started from them. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { has, runAside } from '../support/processes.ts'

const JOBS = 50
const LIST = `flux jobs -a -n -c0 -o '{id.dec} {name} {status}'`

/**
 * Values after the jobs, most of the file: a file that is cut off then ends with a root in which no job is about to start. Flux
 * does not go on well from such a root, whoever has kept it.
 */
const FILL = 'for i in $(seq 1 80); do flux kvs put fill.$i=$(head -c 45000 /dev/urandom | base64 -w0); done'

const start = (statedir: string, script: string) =>
  runAside('flux', ['start', `-Sstatedir=${statedir}`, 'sh', '-c', script])

const listed = (stdout: Buffer | string) => stdout.toString().trim().split('\n').toSorted()

const idsOf = (lines: readonly string[]) => lines.filter((line) => line !== '').map((line) => line.split(' ')[0])

if (has('flux')) {
  describe('conformance of rescued stores', () => {
    it('gives back the jobs of a broker that was killed, and higher ids to new ones', async () => {
      const statedir = join(scratch(), 'state')
      mkdirSync(statedir)
      const submit = `flux submit --quiet --cc=1-${JOBS} --wait true`
      const killed = await start(statedir, `${submit}; ${LIST}; flux content flush; kill -9 $(flux getattr broker.pid)`)
      const before = listed(killed.stdout)
      expect(before).to.have.length(JOBS)
      const out = join(scratch(), 'out')
      const rescued = await runInProcess(['rescue', '--json', '--store', statedir, '--out', out])
      expect(rescued.status, rescued.stderr).to.equal(0)
      expect(JSON.parse(rescued.stdout.toString())).to.include({ jobCount: JOBS, lostKeyCount: 0 })

      const again = await start(out, `${LIST}; echo; flux job id --to=dec $(flux submit true)`)
      expect(again.status, again.stderr).to.equal(0)
      const [list, id] = again.stdout.toString().split('\n\n') as [string, string]
      expect(listed(list)).to.deep.equal(before)
      const highest = before.map((line) => BigInt(line.split(' ')[0] as string)).reduce((a, b) => (a > b ? a : b))
      expect(BigInt(id.trim()) > highest).to.equal(true)
    })

    /** What is done to the database. What is not cut off or deleted must come back. */
    const DAMAGES: Record<string, { damage: (database: string) => void; loses?: true }> = {
      'the file is cut off at 99 %': { damage: (database) => cut(database, 0.99), loses: true },
      'the file is cut off at 90 %': { damage: (database) => cut(database, 0.9), loses: true },
      'the file is cut off at half': { damage: (database) => cut(database, 0.5), loses: true },
      'the first page is gone': { damage: (database) => overwrite(database, (at) => at === 0, 0) },
      'the pages of the index are gone': {
        damage: (database) => overwrite(database, (at, page) => at > 0 && [0x02, 0x0a].includes(page[0] as number), 0),
      },
      'a page of the table is zeroed': { damage: (database) => overwrite(database, nthLeaf(20), 0), loses: true },
      'a page of the table is noise': { damage: (database) => overwrite(database, nthLeaf(30), 0xa7), loses: true },
      'one blob of a hundred is deleted': {
        damage: (database) => sql(database, 'PRAGMA secure_delete=ON; DELETE FROM objects WHERE rowid % 100 = 3'),
        loses: true,
      },
      'blobs are deleted whose rows are still there': {
        damage: (database) => sql(database, 'PRAGMA secure_delete=OFF; DELETE FROM objects WHERE rowid % 100 = 3'),
        // SQLite has written over pages of large ones.
        loses: true,
      },
      'the checkpoints are gone': {
        damage: (database) => sql(database, 'PRAGMA secure_delete=ON; DELETE FROM checkpt_v2'),
      },
      'the newest checkpoint names a root that is missing': {
        damage: (database) => {
          const value = JSON.stringify({ version: 1, rootref: `sha1-${'a'.repeat(40)}`, sequence: 9999, timestamp: 1 })
          sql(database, `INSERT INTO checkpt_v2 (value) VALUES ('${value}')`)
        },
      },
    }

    describe('after a clean end', () => {
      const whole = mkdtempSync(join(tmpdir(), 'flux-ts-rescue-'))
      let jobs: string[]
      before(async () => {
        const made = await start(whole, `flux submit --quiet --cc=1-${JOBS} --wait true; ${LIST}; ${FILL}`)
        expect(made.status, made.stderr).to.equal(0)
        jobs = listed(made.stdout)
      })
      after(() => rmSync(whole, { recursive: true, force: true }))

      for (const [what, { damage, loses }] of Object.entries(DAMAGES)) {
        it(`starts again when ${what}`, async () => {
          const statedir = join(scratch(), 'damaged')
          mkdirSync(statedir)
          const database = join(statedir, 'content.sqlite')
          copyFileSync(join(whole, 'content.sqlite'), database)
          damage(database)
          const before = readFileSync(database)
          const out = join(scratch(), 'out')
          const rescued = await runInProcess(['rescue', '--json', '--store', statedir, '--out', out])
          expect(rescued.status, rescued.stdout.toString() + rescued.stderr).to.equal(0)
          expect(readFileSync(database).equals(before)).to.equal(true)
          const again = await start(out, `${LIST}; echo ===; flux run echo it runs; flux kvs dir >/dev/null`)
          expect(again.status, again.stderr).to.equal(0)
          const [list, ran] = again.stdout.toString().split('===\n') as [string, string]
          expect(ran).to.equal('it runs\n')
          if (!loses) expect(listed(list)).to.deep.equal(jobs)
          // A job of an older root had not ended there, and Flux ends it now.
          else expect(idsOf(listed(list)).length, 'jobs').to.be.above(JOBS / 2)
          if (loses) expect(idsOf(jobs)).to.include.members(idsOf(listed(list)))
        })
      }
    })
  })
}

function cut(database: string, part: number): void {
  truncateSync(database, Math.floor(statSync(database).size * part))
}

const PAGE = 4096

/** Overwrite the pages of a database that are chosen by their offset and their bytes. */
function overwrite(database: string, isChosen: (at: number, page: Uint8Array) => boolean, value: number): void {
  const bytes = readFileSync(database)
  for (let at = 0; at < bytes.length; at += PAGE) {
    if (isChosen(at, bytes.subarray(at, at + PAGE))) bytes.fill(value, at, at + PAGE)
  }
  writeFileSync(database, bytes)
}

/** Chooses the nth leaf of a table. */
function nthLeaf(n: number): (at: number, page: Uint8Array) => boolean {
  let leaves = 0
  return (_, page) => page[0] === 0x0d && ++leaves === n
}

function sql(database: string, statements: string): void {
  const db = new DatabaseSync(database)
  db.exec(statements)
  db.close()
}
