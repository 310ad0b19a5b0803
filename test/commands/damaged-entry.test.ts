/** A directory with entries that are no tree objects: each command loses those entries, names their keys, and no more. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/content/index.ts'
import { resolveRoot, SnapshotReader } from '../../src/kvs/index.ts'
import { scratch } from '../support/fixtures.ts'
import { runInProcess } from '../support/in-process.ts'
import { readTar } from '../support/read-tar.ts'
import { Blobs, dir, raw, type Tree, val, valref, writeSqlite } from '../support/trees.ts'

const sound = { a: val('1'), c: dir({ x: valref('2'), z: val('3') }), lost: valref('4') }

/** The same with a tree object of another version in the root, and one of an unknown type in a directory below. */
const damaged: Record<string, Tree> = {
  a: val('1'),
  b: raw('val', 'NQ==', 2),
  c: dir({ x: valref('2'), y: raw('hdir', {}), z: val('3') }),
  lost: raw('valref', []),
}

const VERSION = 'b: could not decode tree object: not a tree object of version 1 (RFC 11)'
const TYPE = 'c.y: could not decode tree object: a tree object of unknown type'
const BLOBREFS = 'lost: could not decode tree object: a valref without a blobref'

function store(...roots: Record<string, Tree>[]): string {
  const blobs = new Blobs()
  const path = join(scratch(), 'content.sqlite')
  const rootrefs = roots.map((root) => blobs.tree(root))
  writeSqlite(path, blobs, rootrefs)
  return path
}

/** The lines of stderr that name a key, without the name of the command. */
function complaints(stderr: string): string[] {
  return stderr
    .split('\n')
    .map((line) => line.replace(/^flux-(?:ts [a-z ]+|fsck): /, ''))
    .filter((line) => line.includes('could not decode'))
}

describe('an entry of a directory that is no tree object', () => {
  it('ends a dump, which names its key', async () => {
    const out = join(scratch(), 'out.tar')
    const { status, stderr } = await runInProcess(['dump', '--store', store(damaged), out])
    expect(status).to.equal(1)
    expect(complaints(stderr)).to.deep.equal([VERSION])
    expect(existsSync(out)).to.equal(false)
  })

  it('is all that a dump with --ignore-failed-read leaves out', async () => {
    const out = join(scratch(), 'out.tar')
    const { stderr } = await runInProcess(['dump', '--ignore-failed-read', '--store', store(damaged), out])
    expect(complaints(stderr)).to.deep.equal([VERSION, TYPE, BLOBREFS])
    expect(readTar(out).map(({ name }) => name)).to.deep.equal(['a', 'c/x', 'c/z'])
  })

  it('is reported by a dump of keys that it may hold, and by no other', async () => {
    const path = store(damaged)
    const dump = (...globs: string[]) =>
      runInProcess(['dump', '--store', path, ...globs.flatMap((glob) => ['--include', glob]), join(scratch(), 'x.tar')])
    expect(complaints((await dump('b.**')).stderr)).to.deep.equal([VERSION])
    expect(await dump('a', 'c.x')).to.include({ status: 0 })
  })

  it('is one error of fsck, and what is beside it is checked', async () => {
    for (const verbose of [[], ['--verbose']]) {
      const { status, stdout, stderr } = await runInProcess(['fsck', ...verbose, '--store', store(damaged)])
      expect(status).to.equal(1)
      expect(complaints(stderr)).to.have.members([
        'b: could not decode tree object',
        'c.y: could not decode tree object',
        'lost: could not decode tree object',
      ])
      expect(stdout.toString()).to.include('3 errors; looked at 2 directories, 3 values')
    }
  })

  it('stays what it is when another key is repaired', async () => {
    const blobs = new Blobs()
    const rootref = blobs.tree({ ...damaged, gone: valref('gone') })
    blobs.delete(blobs.store('gone'))
    const statedir = join(scratch(), 'state')
    mkdirSync(statedir)
    const path = join(statedir, 'content.sqlite')
    writeSqlite(path, blobs, [rootref])
    const { stderr } = await runInProcess(['fsck', '--repair', '--store', path])
    expect(stderr).to.include('gone repaired and moved to lost+found')
    await using repaired = await openStore(path)
    const { rootref: newRootref } = await resolveRoot(repaired, { checkpoint: true })
    const root = await new SnapshotReader({ store: repaired, rootref: newRootref }).lookup('.', 'dir')
    expect(root.data.b).to.deep.include({ type: 'invalid', json: { data: 'NQ==', type: 'val', ver: 2 } })
    expect(Object.keys(root.data)).to.have.members(['a', 'b', 'c', 'lost', 'lost+found'])
  })

  it('is left out by kvs ls and kvs dir, which name its key', async () => {
    const path = store(damaged)
    const ls = await runInProcess(['kvs', 'ls', '-R', '-1', '--store', path])
    expect(ls.status).to.equal(1)
    expect(ls.stdout.toString()).to.equal('.:\na\nc\n\nc:\nx\nz\n')
    expect(complaints(ls.stderr)).to.deep.equal([VERSION, BLOBREFS, TYPE])
    const shown = await runInProcess(['kvs', 'dir', '-R', '--store', path])
    expect(shown.status).to.equal(1)
    expect(shown.stdout.toString()).to.equal('a = 1\nc.x = 2\nc.z = 3\n')
    expect(complaints(shown.stderr)).to.deep.equal([VERSION, TYPE, BLOBREFS])
  })

  it('does not keep kvs get from the keys beside it', async () => {
    const path = store(damaged)
    expect((await runInProcess(['kvs', 'get', '--store', path, 'c.z'])).stdout.toString()).to.equal('3\n')
    for (const key of ['b', 'b.x']) {
      const { status, stderr } = await runInProcess(['kvs', 'get', '--store', path, key])
      expect(status).to.equal(1)
      expect(complaints(stderr)).to.deep.equal([VERSION])
    }
  })

  it('is not counted by du, which names its key', async () => {
    const { status, stdout, stderr } = await runInProcess(['du', '-d', '0', '--json', '--store', store(damaged)])
    expect(status).to.equal(1)
    expect(JSON.parse(stdout.toString()).directories[0]).to.include({ keyCount: 3, directoryCount: 2 })
    expect(complaints(stderr)).to.have.members([VERSION, TYPE, BLOBREFS])
  })

  it('is not compared by diff, which names its key', async () => {
    const { status, stdout, stderr } = await runInProcess(['diff', '--store', store(damaged, sound), '@1', '@0'])
    // As diff(1): 1 is for a difference.
    expect(status).to.equal(2)
    expect(stdout.toString()).to.equal('')
    expect(complaints(stderr)).to.have.members([VERSION, TYPE, BLOBREFS])
  })

  it('costs a job that record alone', async () => {
    const records = { eventlog: val('{"timestamp":1,"name":"submit","context":{"userid":5}}\n'), R: raw('hval', '') }
    const path = store({
      job: dir({ '0000': dir({ '0000': dir({ '0000': dir({ '0001': dir(records), '0002': raw('x', 1) }) }) }) }),
    })
    const { stdout, stderr } = await runInProcess(['jobs', '--json', '--store', path])
    const { jobs } = JSON.parse(stdout.toString())
    expect(jobs).to.have.length(2)
    expect(jobs[1]).to.include({ userid: 5 })
    expect(stderr).to.include('could not decode tree object')
  })

  it('counts as a directory that cannot be read where reachable blobs are told apart', async () => {
    const { stdout, stderr } = await runInProcess(['content', 'stats', '--reachable', '--store', store(damaged)])
    expect(stdout.toString()).to.match(/unreachable|garbage/)
    expect(stderr).to.include('3 directories')
  })
})
