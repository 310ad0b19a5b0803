/** Archives that are kept for the next look. */
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { blobrefOf } from '../../src/content/index.ts'
import { resolveRoot, SnapshotReader } from '../../src/kvs/index.ts'
import { ArchiveCache, keyOfArchive } from '../../src/restore/archive-cache.ts'
import { ArchiveStore } from '../../src/restore/index.ts'
import { scratch } from '../support/fixtures.ts'
import { fluxTs } from '../support/processes.ts'
import { writeTree } from '../support/write-archive.ts'

/** Archives from this size on are kept. */
const LEAST_BYTES = 1 << 20
const NOISE = randomBytes(LEAST_BYTES)

async function archiveIn(dir: string, name = 'x.tar', text = 'some text'): Promise<string> {
  const path = join(dir, name)
  await writeTree(path, { 'd/text': text, 'd/noise': NOISE, 'd/link': { to: 'd.text' } })
  return path
}

/** A value of an archive, whether the archive was read for it, and the warnings. */
async function look(path: string, cacheDir: string | undefined, key = 'd.text') {
  let wasRead = false
  const warnings: string[] = []
  const onStart = () => {
    wasRead = true
  }
  await using store = await ArchiveStore.open(path, { cacheDir, onStart, onWarning: (text) => warnings.push(text) })
  const { rootref } = await resolveRoot(store)
  const parts: Buffer[] = []
  for await (const batch of new SnapshotReader({ store, rootref }).read(key))
    parts.push(...batch.map((b) => Buffer.from(b)))
  return { value: Buffer.concat(parts), wasRead, warnings, rootref }
}

async function streamed({ onDisk }: ArchiveStore, blobref: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of onDisk.stream(blobref)) pieces.push(piece)
  return Buffer.concat(pieces)
}

const storesIn = (dir: string) => readdirSync(dir).filter((name) => name.endsWith('.pack'))

/** Overwrite some bytes of a file. */
function overwrite(path: string, at: number, bytes: Uint8Array): void {
  expect(at).to.be.at.least(0)
  const fd = openSync(path, 'r+')
  writeSync(fd, bytes, 0, bytes.length, at)
  closeSync(fd)
}

describe('restore/archive-cache', () => {
  for (const name of ['x.tar', 'x.tgz', 'x.zip']) {
    it(`keeps what was read of an archive, and does not read it again: ${name}`, async () => {
      const [dir, cache] = [scratch(), scratch()]
      const path = await archiveIn(dir, name)
      const first = await look(path, cache)
      expect(first).to.deep.include({ value: Buffer.from('some text'), wasRead: true })
      expect(readdirSync(cache)).to.have.length(2)
      for (const kept of readdirSync(cache)) expect(statSync(join(cache, kept)).mode & 0o777).to.equal(0o600)
      expect(await look(path, cache)).to.deep.equal({ ...first, wasRead: false })
      expect((await look(path, cache, 'd.noise')).value.equals(NOISE)).to.equal(true)
      expect(readdirSync(dir)).to.deep.equal([name])
    })
  }

  it('reads an archive anew once its size, time, inode or bytes have changed', async () => {
    const [dir, cache] = [scratch(), scratch()]
    const path = await archiveIn(dir)
    await look(path, cache)
    // A tar may be followed by zeros.
    appendFileSync(path, Buffer.alloc(512))
    expect(await look(path, cache)).to.include({ wasRead: true })
    utimesSync(path, 1_600_000_000, 1_600_000_000)
    expect(await look(path, cache)).to.include({ wasRead: true })
    copyFileSync(path, `${path}.new`)
    utimesSync(`${path}.new`, 1_600_000_000, 1_600_000_000)
    renameSync(`${path}.new`, path)
    expect(await look(path, cache)).to.include({ wasRead: true })
    expect(await look(path, cache)).to.include({ wasRead: false })
    // Changed in place, and its time set back.
    overwrite(path, readFileSync(path).indexOf('some text'), Buffer.from('more'))
    utimesSync(path, 1_600_000_000, 1_600_000_000)
    expect(await look(path, cache)).to.deep.include({ value: Buffer.from('more text'), wasRead: true })
  })

  it('does not keep what is small, a directory or a pipe', async () => {
    const [dir, cache] = [scratch(), scratch()]
    await writeTree(join(dir, 'small.tar'), { a: 'b' })
    await writeTree(`${join(dir, 'tree')}/`, { a: NOISE })
    for (const name of ['small.tar', 'tree']) await look(join(dir, name), cache, 'a')
    expect(keyOfArchive('-', 'sha1')).to.equal(undefined)
    expect(readdirSync(cache)).to.deep.equal([])
  })

  it('repeats the warnings about the archive', async () => {
    const [dir, cache] = [scratch(), scratch()]
    const path = await archiveIn(dir)
    const tail = 1024
    truncateSync(path, statSync(path).size - tail)
    // tar would append: a second member of the same name.
    const whole = readFileSync(path)
    const member = readFileSync(await archiveIn(dir, 'other.tar', 'last text'))
    writeFileSync(path, Buffer.concat([whole, member]))
    const first = await look(path, cache)
    expect(first.warnings).to.have.length(3)
    expect(first.value.toString()).to.equal('last text')
    expect(await look(path, cache)).to.deep.equal({ ...first, wasRead: false })
  })

  describe('with a damaged entry', () => {
    const damages: Record<string, (store: string, description: string) => void> = {
      'no store': (store) => unlinkSync(store),
      'a store that is cut off': (store) => truncateSync(store, 5000),
      'a store of zeros': (store) => writeFileSync(store, Buffer.alloc(statSync(store).size)),
      'an altered table': (store) => overwrite(store, statSync(store).size - 60, Buffer.from('damage')),
      'another root': (store) => overwrite(store, readFileSync(store).indexOf('"noise"') - 10, Buffer.from('damage')),
      'another value': (store) =>
        overwrite(store, readFileSync(store).indexOf(NOISE.subarray(0, 40)), Buffer.from('damage')),
      'an altered description': (_, description) => overwrite(description, 80, Buffer.from('x')),
      'an empty description': (_, description) => truncateSync(description, 0),
      'a description that others may change': (_, description) => chmodSync(description, 0o666),
      'a link in place of the store': (store) => {
        renameSync(store, `${store}.moved`)
        symlinkSync(`${store}.moved`, store)
      },
      'a link in place of the description': (_, description) => {
        renameSync(description, `${description}.moved`)
        symlinkSync(`${description}.moved`, description)
      },
    }
    for (const [what, damage] of Object.entries(damages)) {
      it(`reads the archive again, and replaces the entry: ${what}`, async () => {
        const [dir, cache] = [scratch(), scratch()]
        const path = await archiveIn(dir, 'x.tgz')
        await look(path, cache)
        const [store = ''] = storesIn(cache)
        const description = readdirSync(cache).find((name) => name.endsWith('.json')) as string
        damage(join(cache, store), join(cache, description))
        const again = await look(path, cache, 'd.noise')
        expect(again.value.equals(NOISE)).to.equal(true)
        expect(again).to.include({ wasRead: true })
        const last = await look(path, cache, 'd.noise')
        expect(last.value.equals(NOISE)).to.equal(true)
        expect(last).to.include({ wasRead: false })
        expect(storesIn(cache)).to.have.length(1).and.not.include(store)
      })
    }

    it('fails when the archive has changed since', async () => {
      const [dir, cache] = [scratch(), scratch()]
      const path = await archiveIn(dir, 'x.tgz')
      await look(path, cache)
      await using store = await ArchiveStore.open(path, { cacheDir: cache })
      expect(store.isKept).to.equal(true)
      const kept = join(cache, storesIn(cache)[0] as string)
      overwrite(kept, readFileSync(kept).indexOf(NOISE.subarray(0, 40)), Buffer.from('damage'))
      await archiveIn(dir, 'x.tgz', 'other text')
      const reader = new SnapshotReader({ store, rootref: store.restored.rootref })
      const error = await reader
        .read('d.noise')
        .next()
        .catch((error) => error)
      expect(error).to.include({ code: 'EBUSY' })
      expect(error.message).to.contain(path)
    })
  })

  describe('of an open store', () => {
    /** A store that was kept, and what damages it. */
    async function openKept() {
      const [dir, cache] = [scratch(), scratch()]
      const path = await archiveIn(dir, 'x.tgz')
      await look(path, cache)
      const store = await ArchiveStore.open(path, { cacheDir: cache })
      expect(store.isKept).to.equal(true)
      const kept = join(cache, storesIn(cache)[0] as string)
      const damage = () => overwrite(kept, readFileSync(kept).indexOf(NOISE.subarray(0, 40)), Buffer.from('damage'))
      return { path, cache, store, damage }
    }
    const noiseRef = blobrefOf('sha1', NOISE)
    const absent = `sha1-${'0'.repeat(40)}`

    /** All that a store on disk says of itself. */
    async function survey(store: ArchiveStore) {
      const { onDisk } = store
      const blobrefs = await onDisk.list(0, 100)
      const digests = Buffer.from(blobrefs.map((blobref) => blobref.slice('sha1-'.length)).join(''), 'hex')
      await onDisk.mark([noiseRef])
      const marked = await onDisk.totals()
      return {
        blobrefs,
        sizes: [...(await onDisk.sizes(blobrefs))],
        sizesOf: [...(await onDisk.sizesOf(digests))],
        checked: await onDisk.checkRange(0, 100),
        marked: marked.marked,
        found: await onDisk.markDigests(digests),
        totals: await onDisk.totals(),
        stream: (await streamed(store, noiseRef)).equals(NOISE),
        errors: await store.checkBatch(blobrefs),
        objects: store.objects,
        checkpoints: await store.checkpoints(),
      }
    }

    it('says the same of its blobs as one that was just read', async () => {
      const { path, store } = await openKept()
      await using kept = store
      await using read = await ArchiveStore.open(path)
      expect(read.isKept).to.equal(false)
      const said = await survey(read)
      expect(said.blobrefs)
        .to.have.length(said.objects ?? 0)
        .and.include(noiseRef)
      expect(said.marked).to.include({ objects: 1, bytes: NOISE.length })
      expect(await survey(kept)).to.deep.equal(said)
      expect(kept.isKept).to.equal(true)
      await kept.assertUnchanged()
    })

    for (const [what, ask] of Object.entries({
      'streams a blob': async (store: ArchiveStore) => (await streamed(store, noiseRef)).equals(NOISE),
      'checks a blob': async (store: ArchiveStore) => (await store.checkBatch([noiseRef]))[0] === undefined,
      'loads a blob': async (store: ArchiveStore) =>
        Buffer.from((await store.loadBatch([noiseRef], 1 << 30))[0] as Uint8Array).equals(NOISE),
      'looks for a blob that is not there': async (store: ArchiveStore) =>
        (await store.onDisk.sizes([noiseRef, absent])).join() === `${NOISE.length},-1`,
      'looks for digests that are not there': async (store: ArchiveStore) =>
        (await store.onDisk.sizesOf(Buffer.alloc(40))).join() === '-1,-1',
    })) {
      it(`reads the archive again when it ${what} after damage, and answers from it`, async () => {
        const { store, damage } = await openKept()
        await using kept = store
        damage()
        expect(await ask(kept)).to.equal(true)
        expect(kept.isKept).to.equal(false)
        expect((await kept.onDisk.checkRange(0, 100)).errors).to.deep.equal([])
      })
    }

    for (const [what, ask] of Object.entries({
      'when a range is checked': (store: ArchiveStore) => store.onDisk.checkRange(0, 100),
      'once blobs were listed': async (store: ArchiveStore) => {
        await store.onDisk.list(0, 1)
        await store.loadBatch([noiseRef], 1 << 30)
      },
      'once blobs were marked': async (store: ArchiveStore) => {
        await store.onDisk.markDigests(Buffer.from(noiseRef.slice('sha1-'.length), 'hex'))
        await streamed(store, noiseRef)
      },
    })) {
      it(`says that it is damaged ${what}: the places of another store may be others`, async () => {
        const { path, cache, store, damage } = await openKept()
        await using kept = store
        damage()
        const error = await ask(kept).catch((error) => error)
        expect(error).to.include({ code: 'EBUSY', hint: 'try again: it will be read anew' })
        expect(error.message).to.include(path)
        // What is kept now is sound.
        const again = await look(path, cache, 'd.noise')
        expect(again).to.include({ wasRead: false })
        expect(again.value.equals(NOISE)).to.equal(true)
      })
    }
  })

  describe('bounds', () => {
    const kept = { restored: {} as never, warnings: [] }
    const keys = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(64)) as [string, string, string, string]

    async function keep(cache: ArchiveCache, key: string, bytes: number): Promise<void> {
      const path = join(scratch(), 'content.pack')
      writeFileSync(path, Buffer.alloc(bytes))
      await cache.keep(key, path, kept)
    }

    it('removes what was not used for longest', async () => {
      const dir = scratch()
      const cache = new ArchiveCache(dir, 3000)
      for (const [i, key] of keys.slice(0, 3).entries()) {
        await keep(cache, key, 1000)
        utimesSync(join(dir, `${key}.json`), i + 1, i + 1)
      }
      // The first is used, so that the second is the oldest.
      expect(cache.find(keys[0])).to.not.equal(undefined)
      await keep(cache, keys[3], 1000)
      expect(keys.map((key) => cache.find(key) !== undefined)).to.deep.equal([true, false, true, true])
      expect(storesIn(dir)).to.have.length(3)
      await keep(cache, keys[1], 3000)
      expect(readdirSync(dir)).to.have.length(2)
    })

    it('keeps nothing that is larger than all of it, and removes nothing for that', async () => {
      const dir = scratch()
      const cache = new ArchiveCache(dir, 3000)
      await keep(cache, keys[0], 1000)
      await keep(cache, keys[1], 3001)
      expect(cache.find(keys[0])).to.not.equal(undefined)
      expect(storesIn(dir)).to.have.length(1)
    })

    it('has one store of an archive, even if two processes keep it at once', async () => {
      const dir = scratch()
      await Promise.all([1, 2, 3].map(() => keep(new ArchiveCache(dir), keys[0], 1000)))
      expect(storesIn(dir)).to.have.length(1)
      expect(readdirSync(dir)).to.have.length(2)
      expect(new ArchiveCache(dir).find(keys[0])).to.not.equal(undefined)
    })
  })

  it('does no harm where it cannot write, or is gone', async () => {
    const path = await archiveIn(scratch())
    for (const cache of ['/proc/nowhere', join(scratch(), 'gone')]) {
      expect(await look(path, cache)).to.deep.include({ value: Buffer.from('some text'), wasRead: true })
    }
  })

  describe('of the commands', () => {
    const get = (path: string, home: string, ...flags: string[]) => {
      const env = { PATH: process.env.PATH, HOME: home }
      const { stdout, stderr, status } = fluxTs(['kvs', 'get', '--archive', path, ...flags, 'd.text'], { env })
      expect({ stdout: stdout.toString(), stderr, status }).to.deep.equal({
        stdout: 'some text\n',
        stderr: '',
        status: 0,
      })
    }
    const cacheOf = (home: string) => join(home, '.cache', 'flux-ts', 'archives')

    it('is in the home directory, for its owner only; --no-cache-dir writes nothing', async () => {
      const [dir, home] = [scratch(), scratch()]
      const path = await archiveIn(dir)
      get(path, home, '--no-cache-dir')
      expect(existsSync(cacheOf(home))).to.equal(false)
      get(path, home)
      expect(statSync(cacheOf(home)).mode & 0o777).to.equal(0o700)
      const kept = readdirSync(cacheOf(home))
      expect(kept).to.have.length(2)
      get(path, home)
      expect(readdirSync(cacheOf(home))).to.deep.equal(kept)
    })

    it('is not used when others may write to it, when it is a link, or when the home is read-only', async () => {
      const path = await archiveIn(scratch())
      const home = scratch()
      get(path, home)
      const before = readdirSync(cacheOf(home))
      chmodSync(cacheOf(home), 0o777)
      appendFileSync(path, Buffer.alloc(512))
      get(path, home)
      expect(readdirSync(cacheOf(home))).to.deep.equal(before)
      const [linked, target] = [scratch(), scratch()]
      mkdirSync(join(linked, '.cache', 'flux-ts'), { recursive: true, mode: 0o700 })
      symlinkSync(target, cacheOf(linked))
      get(path, linked)
      expect(readdirSync(target)).to.deep.equal([])
      get(path, '/proc')
    })

    it('is not asked whether an archive is whole: fsck reads it', async () => {
      const [dir, home] = [scratch(), scratch()]
      const path = await archiveIn(dir, 'x.tgz')
      get(path, home)
      const kept = join(cacheOf(home), storesIn(cacheOf(home))[0] as string)
      overwrite(kept, readFileSync(kept).indexOf(NOISE.subarray(0, 40)), Buffer.from('damage'))
      const { status } = fluxTs(['fsck', '--archive', path], { env: { PATH: process.env.PATH, HOME: home } })
      expect(status).to.equal(0)
    })
  })
})
