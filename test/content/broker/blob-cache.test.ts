import { expect } from 'chai'
import fc from 'fast-check'
import { BlobCache } from '../../../src/content/broker/blob-cache.ts'

const blob = (length: number, fill: number) => new Uint8Array(length).fill(fill)

describe('content/broker/blob-cache', () => {
  it('gives back what was added, as a copy', () => {
    const cache = new BlobCache(100)
    cache.add('a', blob(60, 1))
    const a = cache.get('a') as Uint8Array
    a.fill(9)
    expect(cache.get('a')).to.deep.equal(blob(60, 1))
    expect(cache.get('b')).to.equal(undefined)
  })

  it('forgets the oldest when it is full', () => {
    const cache = new BlobCache(100)
    for (const [i, name] of ['a', 'b', 'c'].entries()) cache.add(name, blob(40, i))
    expect(cache.get('a')).to.equal(undefined)
    expect(cache.get('b')).to.deep.equal(blob(40, 1))
    expect(cache.get('c')).to.deep.equal(blob(40, 2))
  })

  it('keeps nothing that is larger than itself, and nothing empty', () => {
    const cache = new BlobCache(100)
    cache.add('a', blob(101, 1))
    cache.add('b', blob(0, 1))
    expect([cache.get('a'), cache.get('b')]).to.deep.equal([undefined, undefined])
  })

  it('never gives back other bytes than were added, and always what was added last', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 20_000, size: 'max' }), (lengths) => {
        const cache = new BlobCache(1000)
        for (const [i, length] of lengths.entries()) {
          cache.add(String(i), blob(length, i % 256))
          if (length > 0) expect(cache.get(String(i))).to.deep.equal(blob(length, i % 256))
          const back = i - (i % 40)
          const older = cache.get(String(back))
          if (older) expect(older).to.deep.equal(blob(lengths[back] as number, back % 256))
        }
      }),
      { numRuns: 20 },
    )
  })
})
