/** Packs: what is written is read back, by all that a store on disk can be asked for. */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
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
        bytes.writeDoubleLE(1e12, size - 16)
        writeFileSync(path, bytes)
      },
      'an altered offset': (path, size) => {
        const bytes = readFileSync(path)
        bytes.writeDoubleLE(5, size - 64)
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

  it('names its file and the reason when it cannot be made', () => {
    const path = join(scratch(), 'absent', 'content.pack')
    expect(() => new PackWriter(path, 'sha1')).to.throw(
      `cannot write a temporary file ${path}: No such file or directory`,
    )
  })
})
