import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import lz4 from 'lz4-napi'
import { lz4DecodeBlock, lz4EncodeBlock } from '../../src/bytes/index.ts'

/** A block as another implementation compresses it. */
const compress = (bytes: Uint8Array) => lz4.compressSync(Buffer.from(bytes)).subarray(4)

function decode(block: Uint8Array, size: number): Uint8Array | undefined {
  const target = new Uint8Array(size)
  return lz4DecodeBlock(block, 0, block.length, target, 0, size) ? target : undefined
}

describe('bytes/lz4', () => {
  it('expands a block captured from a content.sqlite', () => {
    const block = Buffer.from('1f420100ff14504242424242', 'hex')
    expect(Buffer.from(decode(block, 300) as Uint8Array).toString()).to.equal('B'.repeat(300))
  })

  it('expands what another implementation compressed', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.nat(600).map((n) => new Uint8Array(n).fill(n)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const bytes = Buffer.concat([...pieces, ...pieces])
        expect(decode(compress(bytes), bytes.length)).to.deep.equal(new Uint8Array(bytes))
      }),
    )
  })

  it('expands within a larger buffer and touches nothing else', () => {
    const bytes = Buffer.from('abcabcabcabcabcabcabcabcabcabcabc')
    const block = compress(bytes)
    const source = Buffer.concat([randomBytes(7), block, randomBytes(5)])
    const target = new Uint8Array(bytes.length + 20).fill(0xee)
    expect(lz4DecodeBlock(source, 7, block.length, target, 10, bytes.length)).to.equal(true)
    expect(Buffer.from(target.subarray(10, 10 + bytes.length))).to.deep.equal(bytes)
    expect([...target.subarray(0, 10), ...target.subarray(10 + bytes.length)]).to.deep.equal(new Array(20).fill(0xee))
  })

  it('refuses a block cut short, one too long, and one of another size', () => {
    const bytes = Buffer.from('the quick brown fox '.repeat(30))
    const block = compress(bytes)
    for (let n = 0; n < block.length; n++) expect(decode(block.subarray(0, n), bytes.length)).to.equal(undefined)
    expect(decode(Buffer.concat([block, Buffer.of(0x10, 0x41)]), bytes.length)).to.equal(undefined)
    expect(decode(block, bytes.length - 1)).to.equal(undefined)
    expect(decode(block, bytes.length + 1)).to.equal(undefined)
  })

  it('refuses a match that begins before the block, and one at no distance', () => {
    expect(decode(Buffer.from('1041050000', 'hex'), 20)).to.equal(undefined)
    expect(decode(Buffer.from('1041000000', 'hex'), 20)).to.equal(undefined)
  })

  it('never writes outside of its range, whatever it is fed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(300), (block, size) => {
        const target = new Uint8Array(size + 16).fill(0x55)
        lz4DecodeBlock(block, 0, block.length, target, 8, size)
        expect(target.subarray(0, 8).every((byte) => byte === 0x55)).to.equal(true)
        expect(target.subarray(8 + size).every((byte) => byte === 0x55)).to.equal(true)
      }),
    )
  })

  describe('encoding', () => {
    const encode = (bytes: Uint8Array, room = bytes.length * 2 + 20) => {
      const target = new Uint8Array(room)
      const length = lz4EncodeBlock(bytes, 0, bytes.length, target, 0, room)
      return length === 0 ? undefined : target.subarray(0, length)
    }
    /** As another implementation expands it. */
    const expand = (block: Uint8Array, size: number) => {
      const prefix = Buffer.alloc(4)
      prefix.writeUInt32LE(size)
      return lz4.uncompressSync(Buffer.concat([prefix, block]))
    }
    const runs = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.tuple(fc.nat(255), fc.nat(700)).map(([byte, n]) => new Uint8Array(n).fill(byte)),
        fc.constantFrom(...['{"timestamp":17', ',"name":"', 'sha1-', 'abcdefgh'].map((text) => Buffer.from(text))),
      ),
      { maxLength: 40 },
    )

    it('is undone by the decoder and by another implementation', () => {
      fc.assert(
        fc.property(runs, fc.boolean(), (pieces, twice) => {
          const bytes = Buffer.concat(twice ? [...pieces, ...pieces] : pieces)
          const block = encode(bytes) as Uint8Array
          expect(Buffer.from(decode(block, bytes.length) as Uint8Array).equals(bytes)).to.equal(true)
          if (bytes.length > 0) expect(expand(block, bytes.length).equals(bytes)).to.equal(true)
        }),
        { numRuns: 500 },
      )
    })

    it('looks no further back than an offset can say', () => {
      const random = randomBytes(70_000)
      for (const distance of [4000, 65_534, 65_535, 65_536, 65_537]) {
        const bytes = Buffer.concat([random.subarray(0, distance), random.subarray(0, 1000)])
        const block = encode(bytes) as Uint8Array
        expect(expand(block, bytes.length).equals(bytes), String(distance)).to.equal(true)
        if (distance === 4000) expect(block.length).to.be.below(4100)
        if (distance > 65_535) expect(block.length).to.be.above(bytes.length)
      }
    })

    it('makes large what repeats small, as other implementations do', () => {
      const text = Buffer.from(Array.from({ length: 3000 }, (_, i) => `{"job":${i},"state":"INACTIVE"}\n`).join(''))
      const [ours, theirs] = [encode(text) as Uint8Array, compress(text)]
      expect(ours.length).to.be.below(theirs.length * 1.1)
      expect((encode(new Uint8Array(1 << 20)) as Uint8Array).length).to.be.below(4200)
    })

    it('keeps to its room, and says when that is not enough', () => {
      fc.assert(
        fc.property(runs, fc.nat(300), (pieces, room) => {
          const bytes = Buffer.concat(pieces)
          const target = new Uint8Array(room + 20).fill(0xee)
          const source = Buffer.concat([randomBytes(9), bytes, randomBytes(9)])
          const length = lz4EncodeBlock(source, 9, bytes.length, target, 10, room)
          expect(length).to.be.at.most(room)
          expect([...target.subarray(0, 10), ...target.subarray(10 + room)]).to.deep.equal(new Array(20).fill(0xee))
          if (length > 0) {
            const block = target.subarray(10, 10 + length)
            expect(Buffer.from(decode(block, bytes.length) as Uint8Array).equals(bytes)).to.equal(true)
          } else {
            expect((encode(bytes) as Uint8Array).length).to.be.above(room)
          }
        }),
      )
      expect(encode(randomBytes(5000), 5000)).to.equal(undefined)
    })
  })
})
