/** Packs: what is written is read back, by all that a store on disk can be asked for. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { blobrefOf, ContentError, type HashName, openPack, PackWriter } from '../../../src/content/index.ts'
import { scratch } from '../../support/fixtures.ts'

const CHECKPOINT = { rootref: `sha1-${'0'.repeat(40)}`, timestamp: 1_700_000_000, sequence: 0 }

/** Write a pack, in batches of a few. */
function packOf(blobs: readonly Uint8Array[], hash: HashName = 'sha1'): string {
  const path = join(scratch(), 'content.pack')
  using writer = new PackWriter(path, hash)
  for (let i = 0; i < blobs.length; i += 7) {
    const some = blobs.slice(i, i + 7)
    expect(writer.storeBatch(some).blobrefs).to.deep.equal(some.map((blob) => blobrefOf(hash, blob)))
  }
  writer.finish()
  return path
}

const open = (path: string, inThread = false) =>
  openPack(path, { name: 'x.tar', verify: true, checkpoint: CHECKPOINT, inThread })

/** More than the tables hold at first. */
const MANY = Array.from({ length: 10_000 }, (_, i) => Buffer.from(`blob ${i}`.repeat(1 + (i % 50))))

describe('content/pack', () => {
  for (const hash of ['sha1', 'sha256'] as const) {
    it(`gives back many blobs in any order: ${hash}`, async () => {
      await using store = await open(packOf(MANY, hash))
      const order = MANY.map((_, i) => (i * 7919) % MANY.length)
      const asked = order.map((i) => blobrefOf(hash, MANY[i] as Buffer))
      for (let from = 0; from < asked.length; from += 500) {
        const results = await store.loadBatch(asked.slice(from, from + 500), Number.POSITIVE_INFINITY)
        for (const [i, result] of results.entries()) {
          expect(Buffer.from(result as Uint8Array).equals(MANY[order[from + i] as number] as Buffer)).to.equal(true)
        }
      }
      expect(store).to.include({ hash, objects: MANY.length, name: 'x.tar' })
      expect(await store.checkpoints()).to.deep.equal([CHECKPOINT])
    })
  }

  const large = randomBytes(3 << 20)
  const blobs = [
    Buffer.alloc(0),
    Buffer.from('a'),
    large,
    Buffer.from('b'),
    Buffer.from('a'),
    randomBytes((1 << 20) - 1),
  ]
  const refs = blobs.map((blob) => blobrefOf('sha1', blob))
  const missing = blobrefOf('sha1', Buffer.from('no such blob'))

  it('holds each blob once, empty and large ones too', async () => {
    const path = packOf(blobs)
    const bytes = blobs.reduce((sum, { length }) => sum + length, -1)
    expect(statSync(path).size - bytes).to.be.lessThan(500)
    await using store = await open(path, true)
    const loaded = await store.loadBatch([...refs, missing], Number.POSITIVE_INFINITY)
    expect(loaded.pop()).to.be.instanceOf(ContentError).and.include({ code: 'ENOENT', blobref: missing })
    expect(loaded.map((blob) => Buffer.from(blob as Uint8Array).toString('hex'))).to.deep.equal(
      blobs.map((blob) => blob.toString('hex')),
    )
    expect([...(await store.onDisk.sizes([...refs, missing]))]).to.deep.equal([
      ...blobs.map(({ length }) => length),
      -1,
    ])
    expect(await store.onDisk.list(1, 100)).to.deep.equal([...new Set(refs)].slice(1))
    await store.onDisk.mark([refs[1] as string, refs[4] as string, missing])
    const { all, marked, unreadable } = await store.onDisk.totals()
    expect([all.objects, all.bytes, marked.objects, marked.bytes, unreadable]).to.deep.equal([5, bytes, 1, 1, 0])
    const pieces: Uint8Array[] = []
    for await (const piece of store.onDisk.stream(refs[2] as string)) pieces.push(piece)
    expect(pieces).to.have.length(3)
    expect(Buffer.concat(pieces).equals(large)).to.equal(true)
  })

  it('leaves out what is over the budget, but never all, and refuses larger blobs than are wanted', async () => {
    await using store = await open(packOf(blobs))
    const sizes = (results: readonly unknown[]) => results.map((result) => (result as Uint8Array | undefined)?.length)
    const asked = [2, 1, 3, 5].map((i) => refs[i] as string)
    expect(sizes(await store.loadBatch(asked, 1))).to.deep.equal([3 << 20, undefined, undefined, undefined])
    expect(sizes(await store.loadBatch(asked.slice(1), 2))).to.deep.equal([1, 1, undefined])
    const [tooLarge, small] = await store.loadBatch(asked, 1, 10)
    expect(tooLarge).to.include({ code: 'EFBIG' })
    expect(sizes([small])).to.deep.equal([1])
  })

  it('reports an altered blob, and reads the others', async () => {
    const path = packOf(blobs)
    const at = readFileSync(path).indexOf(large.subarray(100, 200))
    const fd = openSync(path, 'r+')
    writeSync(fd, Buffer.from('damage'), 0, 6, at)
    closeSync(fd)
    await using store = await open(path)
    const errors = await store.checkBatch(refs)
    expect(errors.map((error) => error?.code)).to.deep.equal([
      undefined,
      undefined,
      'EBADMSG',
      undefined,
      undefined,
      undefined,
    ])
    const { isLast, checked, errors: found } = await store.onDisk.checkRange(0, 100)
    expect({ isLast, checked, found: found.map(({ code, blobref }) => [code, blobref]) }).to.deep.equal({
      isLast: true,
      checked: 5,
      found: [['EBADMSG', refs[2]]],
    })
    await store.onDisk.mark([refs[1] as string])
    expect(await store.onDisk.checkRange(1, 2, { onlyMarked: true })).to.deep.equal({
      isLast: false,
      checked: 1,
      errors: [],
      faults: [],
    })
    expect((await store.loadBatch([refs[2] as string], 1))[0]).to.include({ code: 'EBADMSG' })
    expect(
      await store.onDisk
        .stream(refs[2] as string)
        .next()
        .catch((error) => error),
    ).to.include({ code: 'EBADMSG' })
  })

  it('is refused when its tables or its end are damaged', async () => {
    const damages: Record<string, (path: string, size: number) => void> = {
      'cut off': (path, size) => truncateSync(path, size - 1),
      'a byte more': (path, size) => writeFileSync(path, Buffer.alloc(size + 1, readFileSync(path))),
      'too short for any': (path) => truncateSync(path, 10),
      empty: (path) => truncateSync(path, 0),
      'more blobs than there is room for': (path, size) => {
        const bytes = readFileSync(path)
        bytes.writeDoubleLE(1e12, size - 24)
        writeFileSync(path, bytes)
      },
      ...Object.fromEntries(
        [-1, 1.5, Number.NaN].map((count) => [
          `${count} blobs`,
          (path: string, size: number) => {
            const bytes = readFileSync(path)
            bytes.writeDoubleLE(count, size - 24)
            writeFileSync(path, bytes)
          },
        ]),
      ),
      ...Object.fromEntries(
        // With a checksum that fits: behind the tables, in an archive that is not there, and no place at all.
        [1e9, -1, 0.5].map((place) => [
          `a blob at ${place}`,
          (path: string, size: number) => {
            const bytes = readFileSync(path)
            const end = size - 48
            const tables = end - 5 * (20 + 8 + 4)
            bytes.writeDoubleLE(place, tables + 5 * 20)
            bytes.writeUInt32LE(crc32(bytes.subarray(tables, end)), end + 40)
            writeFileSync(path, bytes)
          },
        ]),
      ),
      'an altered offset': (path, size) => {
        const bytes = readFileSync(path)
        bytes.writeDoubleLE(5, size - 48 - 5 * 4 - 8)
        writeFileSync(path, bytes)
      },
    }
    for (const [what, damage] of Object.entries(damages)) {
      const path = packOf(blobs)
      damage(path, statSync(path).size)
      const error = await open(path).catch((error) => error)
      expect(error, what).to.include({ code: 'EBADMSG', message: 'x.tar: its temporary file is damaged' })
    }
  })

  describe('with blobs in an archive', () => {
    /** An archive of blobs with something between them, and a pack that has every third of them itself. */
    function splitPack(some: readonly Buffer[]) {
      const archive = join(scratch(), 'x.tar')
      const path = join(scratch(), 'content.pack')
      const parts = some.flatMap((blob, i) => [Buffer.alloc((i * 613) % 5000, '-'), blob])
      writeFileSync(archive, Buffer.concat(parts))
      let at = 0
      const offsets = some.map(({ length }, i) => {
        const offset = at + ((i * 613) % 5000)
        at = offset + length
        return i % 3 === 0 ? undefined : offset
      })
      using writer = new PackWriter(path, 'sha1')
      writer.storeFromArchive(some, offsets)
      writer.storeBatch(some)
      writer.finish()
      return { archive, path, offsets, blobsInArchive: writer.blobsInArchive }
    }
    const openSplit = (path: string, archive: string | undefined, { verify = false, inThread = false } = {}) =>
      openPack(path, { name: 'x.tar', verify, checkpoint: CHECKPOINT, archive, inThread })

    for (const inThread of [false, true]) {
      it(`gives back all of them, in any order${inThread ? ', in a thread' : ''}`, async () => {
        const { archive, path, blobsInArchive } = splitPack(MANY)
        expect(blobsInArchive).to.equal(6666)
        expect(statSync(path).size).to.be.lessThan(statSync(archive).size / 2)
        await using store = await openSplit(path, archive, { inThread })
        for (const step of [1, 7919, MANY.length - 1]) {
          const order = MANY.map((_, i) => (i * step) % MANY.length)
          for (let from = 0; from < order.length; from += 500) {
            const wanted = order.slice(from, from + 500).map((i) => MANY[i] as Buffer)
            const refs = wanted.map((blob) => blobrefOf('sha1', blob))
            const results = await store.loadBatch(refs, Number.POSITIVE_INFINITY)
            for (const [i, result] of results.entries())
              expect(Buffer.from(result as Uint8Array).equals(wanted[i] as Buffer)).to.equal(true)
          }
        }
      })
    }

    it('streams a large one, and holds empty ones', async () => {
      const { archive, path } = splitPack([Buffer.from('first'), large, Buffer.alloc(0)])
      await using store = await openSplit(path, archive)
      const pieces: Uint8Array[] = []
      for await (const piece of store.onDisk.stream(refs[2] as string)) pieces.push(piece)
      expect(Buffer.concat(pieces).equals(large)).to.equal(true)
      const [whole, empty] = await store.loadBatch([refs[2] as string, refs[0] as string], Number.POSITIVE_INFINITY)
      expect(Buffer.from(whole as Uint8Array).equals(large)).to.equal(true)
      expect(empty).to.have.length(0)
    })

    it('compares each with its blobref, though those of the pack are not', async () => {
      const { archive, path, offsets } = splitPack(MANY)
      const { atime, mtime } = statSync(archive)
      const fd = openSync(archive, 'r+')
      writeSync(fd, Buffer.from('X'), 0, 1, offsets[4] as number)
      closeSync(fd)
      utimesSync(archive, atime, mtime)
      await using store = await openSplit(path, archive)
      const asked = MANY.slice(0, 10).map((blob) => blobrefOf('sha1', blob))
      const results = await store.loadBatch(asked, Number.POSITIVE_INFINITY)
      expect(results.map((result) => (result instanceof ContentError ? result.code : undefined))).to.deep.equal(
        MANY.slice(0, 10).map((_, i) => (i === 4 ? 'EBADMSG' : undefined)),
      )
      expect((await store.checkBatch(asked)).map((error) => error?.code)[4]).to.equal('EBADMSG')
      const { errors } = await store.onDisk.checkRange(0, 100)
      expect(errors.map(({ blobref }) => blobref)).to.deep.equal([asked[4]])
    })

    it('says that the archive has changed, and reads on in one that has another name now', async () => {
      const { archive, path, offsets } = splitPack(MANY)
      const asked = MANY.slice(0, 10).map((blob) => blobrefOf('sha1', blob))
      await using store = await openSplit(path, archive)
      renameSync(archive, `${archive}.old`)
      writeFileSync(archive, 'another file')
      const [, second] = await store.loadBatch(asked, Number.POSITIVE_INFINITY)
      expect(Buffer.from(second as Uint8Array).toString()).to.equal(String(MANY[1]))
      // In a thread the archive would be opened again.
      expect((await store.checkBatch(asked)).every((error) => error === undefined)).to.equal(true)
      const fd = openSync(`${archive}.old`, 'r+')
      writeSync(fd, Buffer.from('X'), 0, 1, offsets[4] as number)
      closeSync(fd)
      utimesSync(`${archive}.old`, 1, 1)
      const error = await store.loadBatch(asked, Number.POSITIVE_INFINITY).catch((error) => error)
      expect(error).to.include({
        code: 'EBUSY',
        message: `${archive}: the archive has changed since it was read`,
      })
    })

    it('needs the archive', async () => {
      const { archive, path } = splitPack(MANY)
      unlinkSync(archive)
      const missing = await openSplit(path, archive).catch((error) => error)
      expect(missing).to.include({ code: 'ENOENT', message: `cannot open ${archive}: No such file or directory` })
      const unnamed = await openSplit(path, undefined).catch((error) => error)
      expect(unnamed).to.include({ code: 'EBADMSG' })
    })
  })

  it('names its file and the reason when it cannot be made', () => {
    const path = join(scratch(), 'absent', 'content.pack')
    expect(() => new PackWriter(path, 'sha1')).to.throw(
      `cannot write the temporary file ${path}: No such file or directory`,
    )
  })
})
