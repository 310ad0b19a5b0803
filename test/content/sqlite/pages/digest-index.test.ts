import { expect } from 'chai'
import { random } from '../../../../bench/random.ts'
import { DigestIndex } from '../../../../src/content/sqlite/pages/digest-index.ts'

interface Found {
  digest: Buffer
  place: number
  rowid: number
}

/** Digests that begin with one of some bytes and differ in any other. */
function someDigests(count: number, width: number, firstBytes: readonly number[], seed: number): Buffer[] {
  const next = random(seed)
  return Array.from({ length: count }, (_, i) => {
    const digest = Buffer.from(Array.from({ length: width }, () => Math.floor(next() * 256)))
    digest[0] = firstBytes[i % firstBytes.length] as number
    return digest
  })
}

function indexOf(found: readonly Found[], width: number): DigestIndex {
  const index = new DigestIndex(width)
  for (const { digest, place, rowid } of found) {
    // The digest lies somewhere in a page.
    index.add(Buffer.concat([Buffer.alloc(7, 0xee), digest, Buffer.alloc(3, 0xee)]), 7, place, rowid)
  }
  return index
}

/** The place of a digest that lies behind other bytes. */
const placeOf = (index: DigestIndex, digest: Buffer) => index.find(Buffer.concat([Buffer.alloc(5), digest]), 5)

/** All that an index offers, in its order. */
function listed(index: DigestIndex, width: number, from = 0, count = index.size): [string, number][] {
  const digests = Buffer.from(index.digests(from, count))
  const places = Array.from(index.places(from, count))
  expect(digests.length).to.equal(places.length * width)
  return places.map((place, i) => [digests.toString('hex', i * width, (i + 1) * width), place])
}

describe('content/sqlite/pages/digest-index', () => {
  for (const width of [20, 32]) {
    it(`finds each digest of ${width} bytes, and lists them in the order of their rows`, () => {
      // Buckets of one, of as many as there is room for at first, of one more, and of many.
      const digests = [
        ...someDigests(1, width, [0], 1),
        ...someDigests(16, width, [3], 2),
        ...someDigests(17, width, [4], 3),
        ...someDigests(200, width, [200], 4),
        ...someDigests(2, width, [255], 5),
      ]
      // Those of one first byte are not beside each other in the order of rows.
      const found = digests.map((digest, i) => ({ digest, place: 2 ** 40 + i, rowid: 1 + ((i * 89) % digests.length) }))
      const index = indexOf(found, width)
      expect(index.size).to.equal(236)
      index.finish()
      expect(index.size).to.equal(236)
      const expected = found.toSorted((a, b) => a.rowid - b.rowid).map((of) => [of.digest.toString('hex'), of.place])
      expect(listed(index, width)).to.deep.equal(expected)
      expect(listed(index, width, 100, 30)).to.deep.equal(expected.slice(100, 130))
      expect(listed(index, width, 230, 30)).to.deep.equal(expected.slice(230))
      expect(found.map(({ digest }) => placeOf(index, digest))).to.deep.equal(found.map(({ place }) => place))
    })
  }

  it('finds no digest that differs in one byte, whichever', () => {
    const digests = [...someDigests(1, 20, [0], 1), ...someDigests(40, 20, [7], 2)]
    const index = indexOf(
      digests.map((digest, i) => ({ digest, place: i, rowid: i })),
      20,
    )
    index.finish()
    const answers = new Set<unknown>()
    for (const digest of digests) {
      for (let at = 0; at < 20; at++) {
        for (const bit of [1, 0x80]) {
          const other = Buffer.from(digest)
          other[at] = (other[at] as number) ^ bit
          answers.add(placeOf(index, other))
          answers.add(index.mark(other, 0))
        }
      }
    }
    expect([...answers]).to.deep.equal([-1, false])
    expect([...index.marks(0, 41)]).to.deep.equal(Array(41).fill(0))
  })

  it('finds the digests at both ends of a bucket, wherever it guesses first', () => {
    const digests = [0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff].map((key) => {
      const digest = Buffer.alloc(20, 9)
      digest.writeUInt16BE(key, 1)
      return digest
    })
    // All that are spread unevenly, too: many before and behind them.
    for (const crowd of [0, 0x80, 0xff]) {
      const more = someDigests(100, 20, [9], 6)
      for (const digest of more) digest.writeUInt16BE(crowd * 0x101, 1)
      const found = [...digests, ...more].map((digest, place) => ({ digest, place, rowid: 0 }))
      const index = indexOf(found, 20)
      index.finish()
      expect(found.map(({ digest }) => placeOf(index, digest))).to.deep.equal(found.map(({ place }) => place))
    }
  })

  it('keeps the newest row of a digest, and the first that was found of equal ones', () => {
    const [one, two, three] = someDigests(3, 20, [5], 7) as [Buffer, Buffer, Buffer]
    const index = indexOf(
      [
        { digest: one, place: 1, rowid: 8 },
        { digest: two, place: 2, rowid: 5 },
        { digest: one, place: 3, rowid: 9 },
        { digest: two, place: 4, rowid: 4 },
        { digest: three, place: 5, rowid: 7 },
        { digest: three, place: 6, rowid: 7 },
        { digest: one, place: 7, rowid: 0 },
      ],
      20,
    )
    expect(index.size).to.equal(7)
    index.finish()
    expect(index.size).to.equal(3)
    expect(listed(index, 20)).to.deep.equal([
      [two.toString('hex'), 2],
      [three.toString('hex'), 5],
      [one.toString('hex'), 3],
    ])
    expect([one, two, three].map((digest) => placeOf(index, digest))).to.deep.equal([3, 2, 5])
  })

  it('lists rows whose rowid is lost first, and those of the largest rowids last', () => {
    const digests = someDigests(5, 20, [1, 2, 3, 4, 5], 8)
    const rowids = [2 ** 40, 0, 2 ** 32 - 2, 1, 0]
    const index = indexOf(
      digests.map((digest, place) => ({ digest, place, rowid: rowids[place] as number })),
      20,
    )
    index.finish()
    expect([...index.places(0, 5)]).to.deep.equal([1, 4, 3, 2, 0])
  })

  it('marks digests, in any bucket', () => {
    const digests = someDigests(60, 20, [0, 80, 255], 9)
    const index = indexOf(
      digests.map((digest, place) => ({ digest, place, rowid: 1 + place })),
      20,
    )
    index.finish()
    expect([...index.marks(0, 60)]).to.deep.equal(Array(60).fill(0))
    const chosen = [0, 3, 31, 57]
    for (const i of chosen) {
      const behind = Buffer.concat([Buffer.alloc(20, 1), digests[i] as Buffer])
      expect(index.mark(behind, 20)).to.equal(true)
    }
    expect([...index.marks(0, 60)]).to.deep.equal(digests.map((_, i) => Number(chosen.includes(i))))
    expect([...index.marks(30, 3)]).to.deep.equal([0, 1, 0])
  })

  it('has nothing where nothing was added', () => {
    const index = new DigestIndex(20)
    index.finish()
    expect(index.size).to.equal(0)
    expect(listed(index, 20, 0, 10)).to.deep.equal([])
    expect(placeOf(index, Buffer.alloc(20))).to.equal(-1)
    expect(index.mark(Buffer.alloc(20), 0)).to.equal(false)
  })
})
