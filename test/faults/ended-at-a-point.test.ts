/**
 * What is left of a dump, a restore or the like that is ended at a named point: by SIGKILL nothing of it can be tidied up, but nothing
 * incomplete may have the final name; by other signals nothing at all may be left.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { type FaultPoint, heldAt } from '../support/fault-points.ts'
import { expected, fixture, scratch } from '../support/fixtures.ts'
import { cleanEnv, fluxTs } from '../support/processes.ts'
import { Blobs, raw, valref, writeSqlite } from '../support/trees.ts'

const STORE = fixture('jobs')
const ARCHIVE = fixture('jobs', 'dump.tgz')
const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const

/** So that equal stores give equal archives. */
const DATE = { SOURCE_DATE_EPOCH: '1' }
const OLD = 'last good one'

/** Where a file is, as its work goes on. */
const FILE_POINTS: Record<string, FaultPoint> = {
  'before it is made': { call: 'openSync', on: /\.part$/ },
  'before its first bytes': { call: 'write', on: /\.part$/ },
  'before it is flushed': { call: 'fsync', on: /\.part$/ },
  'before it gets its name': { call: 'renameSync', on: /\.part$/ },
  'when it has its name': { call: 'renameSync', on: /\.part$/, after: true },
}
const DIRECTORY_POINTS: Record<string, FaultPoint> = {
  'before it is made': { call: 'mkdirSync', on: /\.part$/ },
  'before its first file': { call: 'openSync', on: /\.part\/job/ },
  'before it gets its name': { call: 'renameSync', on: /\.part$/ },
  'when it has its name': { call: 'renameSync', on: /\.part$/, after: true },
}

/** What happens to a store that is written to where it is. */
const IN_PLACE: Record<string, FaultPoint> = {
  'before anything is stored': { call: 'exec', on: /^BEGIN IMMEDIATE/ },
  'before it is committed': { call: 'exec', on: /^COMMIT/ },
  'when it is committed': { call: 'exec', on: /^COMMIT/, after: true },
}

/** The bytes, or the names, of what is under a name. */
function contentOf(path: string): unknown {
  return path.endsWith('/') ? readdirSync(path, { recursive: true }).sort() : readFileSync(path)
}

describe('a dump that is ended', () => {
  for (const name of ['x.tar', 'x.tgz', 'x.zip', 'x.cpio', 'x.iso', 'x/']) {
    const points = name.endsWith('/') ? DIRECTORY_POINTS : FILE_POINTS
    const args = ['dump', '-q', '--store', STORE]
    let whole: unknown
    before(() => {
      const outfile = join(scratch(), name)
      expect(fluxTs([...args, outfile], { env: cleanEnv(DATE) }).status).to.equal(0)
      whole = contentOf(outfile)
    })

    for (const [where, point] of Object.entries(points)) {
      const isNamed = point.after === true
      for (const signal of name === 'x.tar' ? SIGNALS : SIGNALS.slice(0, 2)) {
        it(`by ${signal} ${where} leaves ${isNamed ? 'all of it' : 'nothing under its name'}: ${name}`, async () => {
          const dir = join(scratch(), 'out')
          mkdirSync(dir)
          const outfile = join(dir, name)
          if (!name.endsWith('/')) writeFileSync(outfile, OLD)
          const held = await heldAt(point, [...args, outfile], DATE)
          held.child.kill(signal)
          held.release()
          const { status, signal: by, stderr } = await held.ended
          const left = readdirSync(dir)
          // A signal that comes with the last call finds nothing to call off any more.
          const isLast = point.call === 'renameSync'
          if (signal === 'SIGKILL') expect({ by, stderr }).to.deep.equal({ by: 'SIGKILL', stderr: '' })
          else if (isLast) expect(left).to.deep.equal([name.replace('/', '')])
          else {
            expect({ status, stderr }).to.deep.equal({
              status: 130,
              stderr: `flux-ts dump: interrupted by ${signal}\n`,
            })
            expect(left).to.deep.equal(name.endsWith('/') ? [] : [name])
          }
          const isComplete = isNamed || (isLast && signal !== 'SIGKILL')
          if (isComplete) expect(contentOf(outfile)).to.deep.equal(whole)
          else if (name.endsWith('/')) expect(existsSync(outfile)).to.equal(false)
          else expect(readFileSync(outfile, 'utf8')).to.equal(OLD)
          // The next one to that name takes away what this one could not.
          if (name.endsWith('/') && isComplete) return
          expect(fluxTs([...args, outfile]).status).to.equal(0)
          expect(readdirSync(dir)).to.deep.equal([name.replace('/', '')])
        })
      }
    }
  }
})

describe('a restore to a store that is ended', () => {
  const NEW: Record<string, FaultPoint> = {
    'before anything is stored': { call: 'exec', on: /^BEGIN IMMEDIATE/ },
    'before it is committed': { call: 'exec', on: /^COMMIT/ },
    'before it gets its name': { call: 'linkSync', on: /\.part$/ },
    'when it has its name': { call: 'linkSync', on: /\.part$/, after: true },
  }
  for (const [where, point] of Object.entries(NEW)) {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      it(`by ${signal} ${where} leaves ${point.after ? 'a whole store' : 'none'}`, async () => {
        const dir = join(scratch(), 'state')
        mkdirSync(dir)
        const held = await heldAt(point, ['restore', '-q', '--store', dir, ARCHIVE])
        held.child.kill(signal)
        held.release()
        const { status, signal: by, stderr } = await held.ended
        const isComplete = existsSync(join(dir, 'content.sqlite'))
        if (signal === 'SIGKILL') {
          expect(by).to.equal('SIGKILL')
          expect(isComplete).to.equal(point.after === true)
        } else if (!isComplete) {
          expect({ status, stderr }).to.deep.equal({ status: 130, stderr: 'flux-ts restore: interrupted by SIGTERM\n' })
          expect(readdirSync(dir)).to.deep.equal([])
        }
        if (isComplete) expect(fluxTs(['fsck', '-q', '--store', dir]).status).to.equal(0)
        else expect(fluxTs(['restore', '-q', '--store', dir, ARCHIVE]).status).to.equal(0)
        // Killed between two names of one file, it leaves both.
        const names = signal === 'SIGKILL' && point.after ? 2 : 1
        expect(readdirSync(dir)).to.include('content.sqlite').and.have.length(names)
      })
    }
  }

  for (const [where, point] of Object.entries(IN_PLACE)) {
    it(`by SIGKILL ${where} leaves the store that was there whole, with${point.after ? '' : 'out'} the new root`, async () => {
      const dir = copyOfStore(fixture('basic', 'content.sqlite'))
      const held = await heldAt(point, ['restore', '-q', '--store', dir, ARCHIVE])
      held.child.kill('SIGKILL')
      await held.ended
      expect(fluxTs(['fsck', '-q', '--all', '--store', dir]).status).to.equal(0)
      const [newest, ...older] = await rootsOf(dir)
      expect([newest, ...older]).to.include(expected('basic').rootref)
      expect(newest === expected('basic').rootref).to.equal(point.after !== true)
    })
  }
})

describe('a compaction that is ended', () => {
  const POINTS: Record<string, FaultPoint> = {
    'before its file is made': { call: 'openSync', on: /\.part$/ },
    'before anything is copied': { call: 'exec', on: /^BEGIN$/, nth: 2 },
    'before its tables are made': { call: 'exec', on: /^CREATE TABLE copy\.checkpt_v2/ },
    'before it is committed': { call: 'exec', on: /^COMMIT/, nth: 2 },
    'when it is committed': { call: 'exec', on: /^COMMIT/, nth: 2, after: true },
    'before it is flushed': { call: 'fsyncSync', on: /\.part$/ },
    'before it gets its name': { call: 'linkSync', on: /\.part$/ },
    'when it has its name': { call: 'linkSync', on: /\.part$/, after: true },
  }
  for (const [where, point] of Object.entries(POINTS)) {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      it(`by ${signal} ${where} leaves ${point.after && point.call === 'linkSync' ? 'a whole store' : 'none'}`, async () => {
        const dir = copyOfStore(fixture('checkpoints', 'content.sqlite'))
        const before = readFileSync(join(dir, 'content.sqlite'))
        const output = join(dir, 'new.sqlite')
        const args = ['content', 'compact', '-q', '--store', dir, output]
        const held = await heldAt(point, args)
        held.child.kill(signal)
        held.release()
        const { status, signal: by, stderr } = await held.ended
        const isComplete = existsSync(output)
        const isNamed = point.call === 'linkSync' && point.after === true
        if (signal === 'SIGKILL') {
          expect(by).to.equal('SIGKILL')
          expect(isComplete).to.equal(isNamed)
        } else if (!isComplete) {
          expect({ status, stderr }).to.deep.equal({
            status: 130,
            stderr: 'flux-ts content compact: interrupted by SIGTERM\n',
          })
          expect(readdirSync(dir)).to.deep.equal(['content.sqlite'])
        }
        if (!isComplete) expect(fluxTs(args).status).to.equal(0)
        expect(fluxTs(['fsck', '-q', '--all', '--store', output]).status).to.equal(0)
        expect(readFileSync(join(dir, 'content.sqlite'))).to.deep.equal(before)
        // Killed between two names of one file, it leaves both.
        const names = signal === 'SIGKILL' && isNamed ? 3 : 2
        expect(readdirSync(dir)).to.include.members(['content.sqlite', 'new.sqlite']).and.have.length(names)
      })
    }
  }
})

describe('a repair that is ended', () => {
  for (const [where, point] of Object.entries(IN_PLACE)) {
    it(`by SIGKILL ${where} has made the store ${point.after ? 'whole' : 'no worse'}`, async () => {
      const blobs = new Blobs()
      const rootref = blobs.tree({ good: valref('good'), lost: raw('valref', [`sha1-${'1'.repeat(40)}`]) })
      const path = join(scratch(), 'content.sqlite')
      writeSqlite(path, blobs, [rootref])
      const dir = copyOfStore(path)
      const held = await heldAt(point, ['fsck', '-Rq', '--store', dir])
      held.child.kill('SIGKILL')
      await held.ended
      const [newest, ...older] = await rootsOf(dir)
      expect([newest, ...older].at(-1)).to.equal(rootref)
      expect(older).to.have.length(point.after ? 1 : 0)
      expect(fluxTs(['fsck', '-q', '--store', dir]).status).to.equal(point.after ? 0 : 1)
    })
  }
})

async function rootsOf(dir: string): Promise<string[]> {
  await using store = await openStore(dir)
  return (await store.checkpoints()).map(({ rootref }) => rootref)
}

function copyOfStore(path: string): string {
  const dir = join(scratch(), 'state')
  mkdirSync(dir)
  cpSync(path, join(dir, 'content.sqlite'))
  return dir
}
