/** Streams of the program bzip2, undone. */
import { expect } from 'chai'
import { Bzip2Decoder } from '../../../../src/archive/filters/bzip2/decoder.ts'
import { decoded, decodeFailure, failuresOfFlips, noise, pieces, sample } from '../../../support/decoding.ts'
import { run } from '../../../support/processes.ts'

const packed = (bytes: Uint8Array, level = 9) => run('bzip2', ['-c', `-${level}`], Buffer.from(bytes))

describe('the bzip2 decoder', () => {
  const text = sample(600)
  const stream = packed(text, 1)

  it('takes input split at any offset', () => {
    for (let at = 0; at <= stream.length; at++) {
      const out = decoded(new Bzip2Decoder(), stream.subarray(0, at), stream.subarray(at))
      expect(out.equals(text), `split at ${at}`).to.equal(true)
    }
  })

  it('takes blocks as large as there are, in chunks of any size', () => {
    const large = noise(2_000_000)
    const blocks = packed(large)
    for (const size of [65_537, 900_001, blocks.length]) {
      expect(decoded(new Bzip2Decoder(), ...pieces(blocks, size)).equals(large), `chunks of ${size}`).to.equal(true)
    }
  })

  it('undoes runs of every length at which its encoding changes', () => {
    const runs = [1, 3, 4, 5, 258, 259, 260, 100_000].map((length, i) => Buffer.alloc(length, 0x41 + i))
    const all = Buffer.concat(runs)
    expect(decoded(new Bzip2Decoder(), packed(all, 1)).equals(all)).to.equal(true)
  })

  it('takes streams one after another for one, those of other levels and empty ones too', () => {
    const streams = [packed(text, 1), packed(new Uint8Array()), packed(text, 9)]
    const expected = Buffer.concat([text, text])
    expect(decoded(new Bzip2Decoder(), Buffer.concat(streams)).equals(expected)).to.equal(true)
    expect(decoded(new Bzip2Decoder(), ...streams).equals(expected)).to.equal(true)
    expect(decoded(new Bzip2Decoder(), packed(new Uint8Array()))).to.have.length(0)
  })

  it('tells where the input ends too early, wherever that is', () => {
    for (let length = 0; length < stream.length; length++) {
      expect(
        decodeFailure(() => decoded(new Bzip2Decoder(), stream.subarray(0, length))),
        `${length} bytes`,
      ).to.equal('truncated')
    }
    const second = Buffer.concat([stream, stream.subarray(0, stream.length / 2)])
    expect(decodeFailure(() => decoded(new Bzip2Decoder(), second))).to.equal('truncated')
  })

  it('finds any bit that is damaged, and says what is wrong', () => {
    // The last byte holds bits that fill it up. Bit 1 of the level makes it a higher one, which changes nothing.
    expect(failuresOfFlips(() => new Bzip2Decoder(), stream.subarray(0, -1), stream.subarray(-1))).to.deep.equal([
      'damaged: a block begins outside of itself',
      'damaged: a block is longer than its tables',
      'damaged: a block is too long',
      "damaged: a block's checksum does not match",
      'damaged: a code is too long',
      'damaged: a selector of a missing table',
      "damaged: a stream's checksum does not match",
      'damaged: a wrong number of tables',
      'damaged: an invalid code',
      'damaged: no block where one should be',
      'damaged: not a bzip2 stream',
      'none',
      'not supported: a randomised block, of bzip2 before 0.9.5',
    ])
  })

  /** The first block, with the bits from one on overwritten. */
  function withBits(at: number, count: number, value: number): Buffer {
    const changed = Buffer.from(stream)
    for (let bit = 0; bit < count; bit++) {
      const mask = 0x80 >> ((at + bit) & 7)
      const byte = (changed[(at + bit) >> 3] as number) & ~mask
      changed[(at + bit) >> 3] = byte | ((value >> (count - 1 - bit)) & 1 ? mask : 0)
    }
    return changed
  }

  it('refuses a block that has no bytes, and one that has no tables', () => {
    // The header of the stream, the magic of the block, its checksum, a bit, and its origin; then which bytes occur.
    const bytesAt = 32 + 48 + 32 + 1 + 24
    const ranges = stream.readUInt32BE(bytesAt >> 3) >>> (16 - (bytesAt & 7))
    const occurring = (ranges & 0xffff).toString(2).replaceAll('0', '').length
    const failure = (bytes: Buffer) => decodeFailure(() => decoded(new Bzip2Decoder(), bytes))
    expect(failure(withBits(bytesAt, 16, 0))).to.equal('damaged: a block of no bytes')
    expect(failure(withBits(bytesAt + 16 + 16 * occurring + 3, 15, 0))).to.equal('damaged: a block without tables')
  })

  it('ignores what follows the last stream and is no other one, as bunzip2 does', () => {
    const followed = Buffer.concat([stream, Buffer.from('\0\0\0\0 and more')])
    expect(decoded(new Bzip2Decoder(), followed).equals(text)).to.equal(true)
  })
})
