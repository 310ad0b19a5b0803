/** The dump of a live instance. What holds for the double is only worth something if it holds for a real Flux too. */

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { scratch } from '../support/fixtures.ts'
import { type Instance, instanceKinds } from '../support/instances.ts'
import { fluxTsAside, has } from '../support/processes.ts'
import { readTar, withoutOrigin } from '../support/read-tar.ts'
import { Blobs, dir, symlink, type Tree, val, valref } from '../support/trees.ts'

const PRIMES = 'two three five seven eleven '

function entries(): Record<string, Tree> {
  const jobs: Record<string, Tree> = {}
  for (let n = 0; n < 300; n++) {
    jobs[`f${n}`] = dir({
      eventlog: valref(`submit ${n}\n`, `start ${n}\n`, 'finish\n'),
      jobspec: valref(PRIMES.repeat(50)),
      R: val(`${n}`),
    })
  }
  return {
    small: val('hello'),
    nothing: val(''),
    empty: dir({}),
    large: valref(Buffer.alloc(3_000_000, 'x')),
    parts: valref('one ', 'two ', 'one '),
    'with space': val('x'),
    é: valref('umlaut '.repeat(100)),
    link: symlink('small'),
    elsewhere: symlink('a.b', 'other'),
    job: dir(jobs),
  }
}

interface Wanted {
  type: '0' | '2'
  linkname: string
  sha256: string
}

/** What the literal says must be in the archive. */
function wanted(tree: Record<string, Tree>, prefix = '', into: Record<string, Wanted> = {}): Record<string, Wanted> {
  for (const [name, node] of Object.entries(tree)) {
    const path = prefix + name
    if ('entries' in node) wanted(node.entries, `${path}/`, into)
    else if ('blobs' in node) into[path] = value(Buffer.concat(node.blobs.map((blob) => Buffer.from(blob))))
    else if (node.type === 'val') into[path] = value(Buffer.from(node.data as string, 'base64'))
    else {
      const { namespace, target } = node.data as { namespace?: string; target: string }
      into[path] = { ...value(Buffer.from('')), type: '2', linkname: namespace ? `${namespace}::${target}` : target }
    }
  }
  return into
}

function value(bytes: Uint8Array): Wanted {
  return { type: '0', linkname: '', sha256: createHash('sha256').update(bytes).digest('hex') }
}

function found(file: string): Record<string, Wanted> {
  return Object.fromEntries(
    readTar(file).map(({ name, type, linkname, sha256 }) => [name, { type: type as '0' | '2', linkname, sha256 }]),
  )
}

for (const kind of instanceKinds()) {
  for (const hash of ['sha1', 'sha256'] as const) {
    describe(`dump of ${kind.name} that uses ${hash}`, () => {
      let instance: Instance
      const blobs = new Blobs(hash)
      const all = blobs.tree(entries())
      const older = blobs.tree({ older: val('1') })
      const gone = new Blobs(hash)
      const damaged = gone.tree({ a: val('1'), dangling: valref('gone'), d: dir({ e: val('2') }), z: val('3') })
      // Of the damaged tree the root alone is there.
      blobs.set(damaged, gone.get(damaged) as Uint8Array)

      before(async () => {
        instance = await kind.start({
          blobs,
          namespaces: { all, damaged },
          checkpoints: [older, all],
        })
      })
      after(() => instance[Symbol.asyncDispose]())

      const dump = (args: string[], env: Record<string, string> = {}) =>
        fluxTsAside(['dump', ...args], { FLUX_URI: instance.uri, SOURCE_DATE_EPOCH: '1700000000', ...env })

      it('holds every value and link of a namespace', async () => {
        const file = join(scratch(), 'x.tar')
        const { status, stderr } = await dump(['-N', 'all', file])
        expect({ status, stderr }).to.deep.equal({
          status: 0,
          stderr: `flux-ts dump: archived ${Object.keys(wanted(entries())).length} keys\n`,
        })
        expect(found(file)).to.deep.equal(wanted(entries()))
      })

      it('is the same to the byte whatever the window, the way to the blobs and the way to the root', async () => {
        const { stdout: first } = await dump(['-q', '-N', 'all', '-'])
        for (const args of [
          ['-N', 'all', '--maxreqs', '1'],
          ['-N', 'all', '--maxreqs', '1000'],
          ['-N', 'all', '--no-cache'],
          ['-N', 'all', '--no-verify'],
          ['--root', all],
          ['--checkpoint'],
          ['--checkpoint', '--no-cache', '--sd-notify', '--maxreqs=128', '--ignore-failed-read'],
        ]) {
          const { status, stdout } = await dump(['-q', ...args, '-'])
          expect(status, args.join(' ')).to.equal(0)
          expect(withoutOrigin(stdout).equals(withoutOrigin(first)), args.join(' ')).to.equal(true)
          // A root that was not found by its namespace does not say which one that is.
          if (args.includes('-N')) expect(stdout.equals(first), args.join(' ')).to.equal(true)
        }
      })

      it('takes the namespace from FLUX_KVS_NAMESPACE, and the instance from --uri before FLUX_URI', async () => {
        const env = { FLUX_KVS_NAMESPACE: 'all', FLUX_URI: 'local:///nowhere' }
        const { status, stdout } = await dump(['--json', '--uri', instance.uri, join(scratch(), 'x.tgz')], env)
        expect(status).to.equal(0)
        expect(JSON.parse(stdout.toString())).to.include({ rootref: all, namespace: 'all', hash, timestamp: null })
      })

      it('is of an older checkpoint by its index, with the time of that checkpoint', async () => {
        const file = join(scratch(), 'x.tar')
        const { status } = await dump(['-q', '--checkpoint-index', '1', file], { SOURCE_DATE_EPOCH: '' })
        expect(status).to.equal(0)
        expect(readTar(file).map(({ name, mtime }) => [name, mtime])).to.deep.equal([['older', 1_700_000_000]])
      })

      it('lists keys on stderr with --verbose, and leaves standard output to the archive', async () => {
        const { stdout, stderr } = await dump(['-v', '-N', 'all', '-'])
        const file = join(scratch(), 'x.tar')
        writeFileSync(file, stdout)
        expect(stderr.trimEnd().split('\n')).to.deep.equal(readTar(file).map(({ name }) => name))
      })

      it('stops at a blob that is missing, naming it, and leaves nothing behind', async () => {
        const file = join(scratch(), 'x.tar')
        const { status, stderr } = await dump(['-q', '-N', 'damaged', file])
        expect(status).to.equal(1)
        expect(stderr).to.match(
          /^flux-ts dump: d: could not load content: No such file or directory \(sha\d+-[0-9a-f]+\)\n$|^flux-ts dump: dangling: missing blobref 0: No such file or directory \(sha\d+-[0-9a-f]+\)\n$/,
        )
        expect(existsSync(file)).to.equal(false)
      })

      it('leaves out what is missing with --ignore-failed-read, and says what', async () => {
        const file = join(scratch(), 'x.tar')
        const { status, stderr } = await dump(['--ignore-failed-read', '-N', 'damaged', file])
        expect(status).to.equal(0)
        const lines = stderr.trimEnd().split('\n')
        expect(lines[0]).to.match(/^flux-ts dump: d: could not load content: No such file or directory \(/)
        expect(lines[1]).to.match(/^flux-ts dump: dangling: missing blobref 0: No such file or directory \(/)
        expect(lines[2]).to.equal(
          'flux-ts dump: archived 2 keys, 1 skipped, 1 unreadable directory (keys below it unknown)',
        )
        expect(Object.keys(found(file))).to.deep.equal(['a', 'z'])
      })

      it('says that a namespace does not exist', async () => {
        const { status, stderr } = await dump(['-N', 'nosuch', join(scratch(), 'x.tar')])
        expect({ status, stderr }).to.deep.equal({
          status: 1,
          stderr:
            'flux-ts dump: error fetching current KVS root: Operation not supported; there is no namespace nosuch\n',
        })
      })

      if (kind.isReal) {
        it('has what the archive of the C tool has', async () => {
          const scratchDir = scratch()
          const [theirs, ours] = [join(scratchDir, 'theirs.tar'), join(scratchDir, 'ours.tar')]
          for (const option of ['--checkpoint', '--no-cache']) {
            await instance.run('env', ['FLUX_KVS_NAMESPACE=all', 'flux', 'dump', '-q', option, theirs])
            expect((await dump(['-q', option, ours], { FLUX_KVS_NAMESPACE: 'all' })).status).to.equal(0)
            expect(found(ours)).to.deep.equal(found(theirs))
          }
        })

        it('is the same read beside the broker as through it, while clients commit', async () => {
          // So much that SQLite moves what is in its write-ahead log to the database.
          const fill = 'for n in $(seq 12); do head -c 500000 /dev/urandom | flux kvs put --raw fill.k$n=-; done'
          await instance.run('sh', ['-c', `${fill}; flux content flush`])
          const client = (c: string) => ['-c', `for n in $(seq 40); do flux kvs put ${c}.k$n=$n a.$c=$n; done`]
          const committed = Promise.all(['c1', 'c2'].map((c) => instance.run('sh', client(c))))
          const [beside, through] = [join(scratch(), 'beside.tar'), join(scratch(), 'through.tar')]
          for (let n = 0; n < 3; n++) {
            const { stdout, stderr } = await dump(['--json', '--root', all, beside])
            expect(JSON.parse(stdout.toString()).directBlobCount, stderr).to.be.greaterThan(0)
            const asked = await dump(['--json', '--root', all, '--no-direct', through])
            expect(JSON.parse(asked.stdout.toString())).to.include({ directBlobCount: 0 })
            expect(readFileSync(beside).equals(readFileSync(through))).to.equal(true)
            expect(found(beside)).to.deep.equal(wanted(entries()))
          }
          await committed
        })
      }

      // The C tool knows sha1 only, here.
      if (kind.isReal && hash === 'sha1') {
        it('goes through a pipe into the C tool, and back', async () => {
          const file = join(scratch(), 'x.tar')
          const { stdout } = await dump(['-q', '-N', 'all', '-'])
          writeFileSync(file, stdout)
          await instance.run('sh', ['-c', `flux restore -q --key back - <'${file}'`])
          const back = join(scratch(), 'back.tar')
          expect((await dump(['-q', back])).status).to.equal(0)
          const below = Object.entries(found(back)).filter(([path]) => path.startsWith('back/'))
          expect(Object.fromEntries(below.map(([path, member]) => [path.slice('back/'.length), member]))).to.deep.equal(
            wanted(entries()),
          )
        })
      }

      it('needs no KVS module for a checkpoint, and says so when it is asked for the current root', async () => {
        await instance.unloadKvs()
        const file = join(scratch(), 'x.tar')
        const refused = await dump([file])
        expect(refused.status).to.equal(1)
        expect(refused.stderr).to.match(
          /^flux-ts dump: error fetching current KVS root: No service matching kvs\.getroot is registered; .*--checkpoint.*\n$/,
        )
        expect(existsSync(file)).to.equal(false)
        // The KVS of a real instance writes a checkpoint of its own as it goes.
        const checkpoint = ['--checkpoint', '--checkpoint-index', kind.isReal ? '1' : '0']
        expect((await dump(['-q', ...checkpoint, file])).status).to.equal(0)
        expect(found(file)).to.deep.equal(wanted(entries()))
      })
    })
  }
}

if (process.env.FLUX_TS_TEST_REAL) {
  describe('conformance', () => {
    it('is tested on a real Flux when that is asked for', () => {
      expect(has('flux'), 'flux is not on PATH').to.equal(true)
    })
  })
}
