import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import lz4 from 'lz4-napi'
import { lz4DecodeBlock } from '../../src/bytes/index.ts'

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
})
