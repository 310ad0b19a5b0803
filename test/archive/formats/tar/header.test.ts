import { expect } from 'chai'
import fc from 'fast-check'
import { checkHeader } from '../../../../src/archive/formats/tar/header.ts'
import { BLOCK_BYTES, CHKSUM } from '../../../../src/archive/formats/tar/layout.ts'

/** Put the sum of a block into its checksum, as POSIX pax(1) tells to, with bytes that are signed or not. */
function sign(block: Buffer, read: (at: number) => number): void {
  block.fill(' ', CHKSUM[0], CHKSUM[0] + CHKSUM[1])
  let sum = 0
  for (let i = 0; i < block.length; i++) sum += read(i)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHKSUM[0])
}

describe('archive/formats/tar/header', () => {
  const block = fc.uint8Array({ minLength: BLOCK_BYTES, maxLength: BLOCK_BYTES }).map((bytes) => Buffer.from(bytes))
  const place = fc.nat(9)

  it('takes the sum of unsigned bytes, and of signed ones, anywhere in a buffer', () => {
    fc.assert(
      fc.property(block, place, fc.boolean(), (bytes, at, isSigned) => {
        sign(bytes, isSigned ? (i) => bytes.readInt8(i) : (i) => bytes.readUInt8(i))
        // A negative sum cannot be written.
        fc.pre(!bytes.includes('-', CHKSUM[0]) || bytes.indexOf('-', CHKSUM[0]) > CHKSUM[0] + CHKSUM[1])
        expect(checkHeader(Buffer.concat([Buffer.alloc(at, 1), bytes, Buffer.alloc(3, 0xff)]), at)).to.equal('sound')
      }),
    )
    const full = Buffer.alloc(BLOCK_BYTES, 0xff)
    sign(full, (i) => full.readUInt8(i))
    expect(checkHeader(full, 0)).to.equal('sound')
  })

  it('does not count what follows the digits of the sum', () => {
    const bytes = Buffer.alloc(BLOCK_BYTES, 'a')
    bytes[0] = 0xff
    for (const isSigned of [true, false]) {
      sign(bytes, isSigned ? (i) => bytes.readInt8(i) : (i) => bytes.readUInt8(i))
      bytes[CHKSUM[0] + CHKSUM[1] - 1] = 0xff
      expect(checkHeader(bytes, 0)).to.equal('sound')
    }
  })

  it('sees any byte that has changed', () => {
    fc.assert(
      fc.property(block, fc.nat(BLOCK_BYTES - 1), fc.integer({ min: 1, max: 127 }), (bytes, at, by) => {
        sign(bytes, (i) => bytes.readUInt8(i))
        fc.pre(at < CHKSUM[0] || at >= CHKSUM[0] + CHKSUM[1])
        bytes[at] = (bytes[at] as number) ^ by
        expect(checkHeader(bytes, 0)).to.equal('damaged')
      }),
    )
  })

  it('knows a block of zeros, and nothing else, as the end', () => {
    expect(checkHeader(Buffer.alloc(BLOCK_BYTES + 5), 5)).to.equal('zero')
    for (let at = 0; at < BLOCK_BYTES; at++) {
      const bytes = Buffer.alloc(BLOCK_BYTES)
      bytes[at] = 1
      expect(checkHeader(bytes, 0)).to.equal('damaged')
    }
  })
})
