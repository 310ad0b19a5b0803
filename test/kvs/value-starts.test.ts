import { join } from 'node:path'
import { expect } from 'chai'
import { type BlobResult, ContentError, openStore } from '../../src/content/index.ts'
import { FluxError } from '../../src/errors/index.ts'
import type { Child } from '../../src/kvs/kvs-reader.ts'
import type { Val, Valref } from '../../src/kvs/treeobj.ts'
import { loadStarts } from '../../src/kvs/value-starts.ts'
import { scratch } from '../support/fixtures.ts'
import { Blobs, MemoryStore, onDisk, writeSqlite } from '../support/trees.ts'

const blobs = new Blobs()
const val = (text: string): Child<Val> => ({
  key: 'k',
  obj: { type: 'val', ver: 1, data: Buffer.from(text).toString('base64') },
})
const valref = (...parts: (string | Uint8Array)[]): Child<Valref> => refs(...parts.map((part) => blobs.store(part)))
const refs = (...data: string[]): Child<Valref> => ({ key: 'k', obj: { type: 'valref', ver: 1, data } })
const GONE = `sha1-${'0'.repeat(40)}`

/** The first bytes as text, or the error. */
async function startsOf(children: Child<Val | Valref>[], bytes: number, store = new MemoryStore(blobs)) {
  const starts = await loadStarts(store, children, bytes)
  return starts.map((start) => (start instanceof FluxError ? start.message : start && `${Buffer.from(start)}`))
}

/** A store that does not hold some blobs in memory, but streams them. */
class Streaming extends MemoryStore {
  readonly #large: readonly string[]

  constructor(large: readonly string[]) {
    super(blobs)
    this.#large = large
  }

  override async loadBatch(blobrefs: readonly string[], budgetBytes: number): Promise<BlobResult[]> {
    const results = await super.loadBatch(blobrefs, budgetBytes)
    return results.map((result, i) => {
      const blobref = blobrefs[i] as string
      return this.#large.includes(blobref) ? new ContentError('EFBIG', blobref, 'File too large') : result
    })
  }
}

function streaming(...large: string[]) {
  const pieces: string[] = []
  const store = onDisk(new Streaming(large), {
    async *stream(blobref: string) {
      for (const piece of ['abc', 'def', 'ghi']) {
        pieces.push(piece)
        yield Buffer.from(piece)
      }
      if (blobref === LARGE_BAD) throw new ContentError('EIO', blobref, 'Input/output error')
    },
  })
  return { store, pieces }
}
const LARGE = blobs.store('abcdefghi')
const LARGE_BAD = blobs.store('abcdefghi, and more')

describe('kvs/value-starts', () => {
  it('gives the first bytes of each value, in order', async () => {
    const children = [valref('0123456789'), val('inline and long'), valref('short'), valref(''), valref('12345')]
    expect(await startsOf(children, 5)).to.deep.equal(['01234', 'inline and long', 'short', '', '12345'])
  })

  it('asks for the first blob of each value, and for further ones only where those are needed', async () => {
    const store = new MemoryStore(blobs)
    const children = [valref('12345', 'unneeded'), valref('1', '2345', 'more'), valref('12', '3')]
    expect(await startsOf(children, 5, store)).to.deep.equal(['12345', '12345more', '123'])
    const asked = store.asked.slice(0, 3)
    expect(asked).to.deep.equal(children.map(({ obj }) => obj.data[0]))
    expect(store.asked).to.not.include(children[0]?.obj.data[1])
  })

  it('gives the error of a value that cannot be read, with its key and the number of the blob', async () => {
    const broken: Child<Val> = { key: 'k', obj: { type: 'val', ver: 1, data: '?' } }
    const some = refs(blobs.store('1'), GONE)
    expect(await startsOf([broken, refs(GONE), some, valref('fine')], 5)).to.deep.equal([
      'k: invalid value object: Invalid argument',
      `k: missing blobref 0: No such file or directory (${GONE})`,
      `k: missing blobref 1: No such file or directory (${GONE})`,
      'fine',
    ])
  })

  it('throws the failure of the store', async () => {
    const store = new MemoryStore(blobs)
    store.failure = new TypeError('broken')
    const error = await startsOf([valref('x')], 5, store).catch((error: unknown) => error)
    expect(error).to.equal(store.failure)
  })

  it('reads a blob that is too large to hold in pieces, and no more of them than are needed', async () => {
    const { store, pieces } = streaming(LARGE)
    expect(await startsOf([refs(LARGE), valref('x')], 5, store)).to.deep.equal(['abcdef', 'x'])
    expect(pieces).to.deep.equal(['abc', 'def'])
    expect(await startsOf([refs(LARGE)], 6, store)).to.deep.equal(['abcdef'])
    expect(await startsOf([refs(LARGE)], 7, store)).to.deep.equal(['abcdefghi'])
  })

  it('gives the error of a blob that fails as it is streamed', async () => {
    const { store } = streaming(LARGE_BAD)
    expect((await startsOf([refs(LARGE_BAD)], 100, store))[0]).to.match(
      /^k: unreadable blobref 0: Input\/output error \(sha1-[0-9a-f]+\)$/,
    )
  })

  it('leaves out further values when it holds 16 MiB, and copies what it holds', async () => {
    const store = new MemoryStore(blobs)
    store.window = 4
    const MIB = 1 << 20
    const blob = Buffer.alloc(2 * MIB, 'x')
    const children = Array.from({ length: 40 }, (_, n) => valref(Buffer.concat([Buffer.from(`${n}`), blob])))
    const starts = await loadStarts(store, children, MIB)
    expect(starts.filter((start) => start !== undefined)).to.have.length(16)
    for (const start of starts.slice(0, 16)) {
      expect(start).to.have.length(MIB)
      expect((start as Uint8Array).buffer.byteLength).to.be.lessThan(2 * MIB)
    }
    // Those that need further blobs too.
    const longer = Array.from({ length: 20 }, (_, n) => valref(`${n}`, blob))
    const found = await loadStarts(store, longer, MIB)
    expect(found.filter((start) => start !== undefined)).to.have.length(8)
    const mixed = await loadStarts(store, [...longer.slice(0, 2), ...children.slice(0, 15)], MIB)
    expect(Array.from(mixed, (start) => start !== undefined)).to.deep.equal([true, false, ...Array(15).fill(true)])
  })

  it('reads the beginning of a large blob of a database', async () => {
    const own = new Blobs()
    const large = Buffer.alloc(20 << 20, 'text')
    const refs = [own.store('a'), own.store(large), own.store('d')] as const
    const path = join(scratch(), 'content.sqlite')
    writeSqlite(path, own, [own.tree({})])
    await using store = await openStore(path)
    const children = [[refs[0]], [refs[1]], [refs[2], refs[1]]].map((data): Child<Valref> => {
      return { key: 'k', obj: { type: 'valref', ver: 1, data } }
    })
    const [a, b, c] = (await loadStarts(store, children, 1000)) as Uint8Array[]
    expect(Buffer.from(a as Uint8Array).toString()).to.equal('a')
    for (const [start, text] of [
      [b, 'text'.repeat(250)],
      [c, `d${'text'.repeat(250)}`.slice(0, 1000)],
    ] as const) {
      expect(start?.length).to.be.within(1000, 4 << 20)
      expect(Buffer.from(start as Uint8Array).toString('latin1', 0, 1000)).to.equal(text)
    }
  })
})
