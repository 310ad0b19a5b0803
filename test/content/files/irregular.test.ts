import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { blobrefOf, type ContentError, openStore } from '../../../src/content/index.ts'
import { copyOf, expected, scratch } from '../../support/fixtures.ts'
import { runInProcess } from '../../support/in-process.ts'
import { Blobs, valref } from '../../support/trees.ts'

/** A socket under a name that is longer than the address of one may be. */
function socketAt(path: string): void {
  const name = join(scratch(), 's')
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script, name])
  renameSync(name, path)
}

/** What may lie in the place of a file, and what is said of it. */
const IRREGULAR: Record<string, { make: (path: string) => void; words: RegExp }> = {
  'a pipe': { make: (path) => execFileSync('mkfifo', [path]), words: /: not a regular file$/ },
  'a link to a device': { make: (path) => symlinkSync('/dev/zero', path), words: /: not a regular file$/ },
  'a link to nothing': { make: (path) => symlinkSync('nothing', path), words: /: not a regular file$/ },
  'a link to itself': { make: (path) => symlinkSync(path, path), words: /: not a regular file$/ },
  'a link to a file of the store': {
    make: (path) => symlinkSync(`sha1-${'5'.repeat(40)}`, path),
    words: /: not a regular file$/,
  },
  'a socket': { make: socketAt, words: /: not a regular file$/ },
  'a directory': { make: (path) => mkdirSync(path), words: /: not a regular file$/ },
  'a file of 8 GB': {
    make: (path) => {
      writeFileSync(path, '')
      truncateSync(path, 8e9)
    },
    words: /: has 8000000000 bytes, and \d+ are the most it can have$/,
  },
}

describe('content/files, what is no file', () => {
  for (const [what, { make, words }] of Object.entries(IRREGULAR)) {
    it(`takes ${what} for an unreadable blob`, async () => {
      const dir = copyOf('files', 'content.files')
      const blobref = expected('files').rootref
      const other = `sha1-${'0'.repeat(40)}`
      rmSync(join(dir, blobref))
      make(join(dir, blobref))
      for (const verify of [true, false]) {
        await using store = await openStore(dir, { verify })
        for (const results of [await store.loadBatch([blobref, other], 1), await store.checkBatch([blobref, other])]) {
          const [irregular, missing] = results as ContentError[]
          expect(irregular?.code).to.equal('EIO')
          expect(irregular?.message).to.match(words)
          expect(missing?.code).to.equal('ENOENT')
        }
        expect([...(await store.onDisk.sizes([blobref]))]).to.deep.equal([-1])
        const { all, unreadable } = await store.onDisk.totals()
        expect([all.objects + 1, unreadable]).to.deep.equal([store.objects, 1])
      }
    })

    it(`does not read ${what} for the checkpoint`, async () => {
      const dir = copyOf('files', 'content.files')
      rmSync(join(dir, 'kvs-primary'))
      make(join(dir, 'kvs-primary'))
      await using store = await openStore(dir)
      const error = await store.checkpoints().catch((error) => error)
      expect(error.message).to.match(words)
      expect(error.code).to.equal('EPROTO')
    })
  }

  it('checks, dumps and lists the rest of a store in which all of them lie', async () => {
    const blobs = new Blobs()
    const kinds = Object.keys(IRREGULAR)
    const irregular = kinds.map((kind) => blobs.store(kind))
    const sound = Object.fromEntries(kinds.map((kind, i) => [`sound${i}`, valref(`sound ${kind}`)]))
    const values = Object.fromEntries(kinds.map((kind, i) => [`key${i}`, valref(kind)]))
    const rootref = blobs.tree({ ...values, ...sound })
    const path = join(scratch(), 'content.files')
    mkdirSync(path)
    for (const [blobref, bytes] of blobs) writeFileSync(join(path, blobref), bytes)
    for (const [i, blobref] of irregular.entries()) {
      rmSync(join(path, blobref))
      IRREGULAR[kinds[i] as string]?.make(join(path, blobref))
    }
    const checkpoint = join(path, 'kvs-primary')
    writeFileSync(checkpoint, JSON.stringify({ version: 1, rootref, sequence: 1, timestamp: 1.5 }))
    const run = (...args: string[]) => runInProcess([...args, '-v', '--store', path])
    const fsck = await run('fsck')
    expect(fsck.stderr).to.include(`Total errors: ${kinds.length}\n`)
    const validate = await run('content', 'validate')
    expect(validate.stderr).to.include(`${blobs.size} blobs looked at, ${kinds.length} damaged\n`)
    const roots = await run('content', 'roots')
    expect(roots.stdout.toString()).to.match(new RegExp(`^${rootref}\\t.*\\t${kinds.length} lost\\t0\\t`, 'm'))
    for (const blobref of irregular) expect(roots.stderr).to.include(blobref)
    const stats = await run('content', 'stats', '--reachable')
    expect(stats.stdout.toString()).to.include(`unreadable objects\t${kinds.length}\n`)
    for (const { status } of [fsck, validate, roots, stats]) expect(status).to.equal(1)
    const archive = join(scratch(), 'x.tar')
    const dump = await runInProcess(['dump', '-q', '--ignore-failed-read', '--store', path, archive])
    expect(dump.status).to.equal(0)
    expect(execFileSync('tar', ['tf', archive]).toString().split('\n').slice(0, -1)).to.deep.equal(Object.keys(sound))
    // And when even the checkpoint is none, that root is found.
    rmSync(checkpoint)
    mkdirSync(checkpoint)
    const found = await run('content', 'roots')
    expect(found.stdout.toString()).to.include(rootref)
    expect(found.stderr).to.include(`${checkpoint}: not a regular file`)
    const out = join(scratch(), 'out')
    const rescue = await runInProcess(['rescue', '--store', path, '--out', out])
    expect(rescue.stderr).to.include(`${rootref}, which no checkpoint names`)
    expect(execFileSync('tar', ['tf', join(out, 'kvs.tgz')]).toString()).to.include('sound0\n')
  })

  it('names an altered blob that a search for roots meets', async () => {
    const dir = copyOf('files', 'content.files')
    const { rootref } = expected('files')
    writeFileSync(join(dir, rootref), 'altered')
    const { status, stderr } = await runInProcess(['content', 'roots', '--store', dir])
    expect(status).to.equal(1)
    expect(stderr).to.include(`${rootref}: altered: the stored bytes do not match the blobref\n`)
  })

  it('archives nothing from outside by way of a link', async () => {
    const dir = copyOf('files', 'content.files')
    const secret = join(scratch(), 'secret')
    writeFileSync(secret, '{"data":{"a":{"data":"YQ==","type":"val","ver":1}},"type":"dir","ver":1}')
    const { rootref } = expected('files')
    rmSync(join(dir, rootref))
    symlinkSync(secret, join(dir, rootref))
    const archive = join(scratch(), 'x.tar')
    const { status, stderr } = await runInProcess(['dump', '-q', '--no-verify', '--store', dir, archive])
    expect(status).to.equal(1)
    expect(stderr).to.include('not a regular file')
  })

  it('checks a blob that is larger than a piece', async () => {
    const dir = copyOf('files', 'content.files')
    const blob = Buffer.alloc(2_500_000, 'large')
    const [sound, altered] = [blobrefOf('sha1', blob), blobrefOf('sha1', Buffer.alloc(2_500_001, 'other'))]
    writeFileSync(join(dir, sound), blob)
    writeFileSync(join(dir, altered), blob)
    await using store = await openStore(dir)
    const [none, error] = await store.checkBatch([sound, altered])
    expect(none).to.equal(undefined)
    expect(error?.code).to.equal('EBADMSG')
  })
})
