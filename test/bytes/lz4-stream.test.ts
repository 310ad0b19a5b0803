import { expect } from 'chai'
import fc from 'fast-check'
import lz4 from 'lz4-napi'
import { Lz4Stream, lz4DecodeBlock } from '../../src/bytes/index.ts'

/** Expand a block that comes in pieces. @returns undefined when it is damaged */
function expand(block: Uint8Array, size: number, piece: number): Buffer | undefined {
  let at = 0
  const stream = new Lz4Stream(() => {
    if (at >= block.length) return undefined
    at += piece
    return block.subarray(at - piece, at)
  }, size)
  const parts: Buffer[] = []
  for (let part = stream.next(); part; part = stream.next()) parts.push(Buffer.from(part))
  return stream.isWhole ? Buffer.concat(parts) : undefined
}

const compressed = (bytes: Buffer) => lz4.compressSync(bytes).subarray(4)

describe('bytes/lz4-stream', () => {
  it('expands what another implementation has packed, however its bytes come', () => {
    const text = Buffer.from(Array.from({ length: 60_000 }, (_, n) => `line ${n * 7919} ${n % 17}\n`).join(''))
    const noise = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, n) => (n * n * 31 + (n >> 3)) ^ (n >> 7)))
    for (const bytes of [text, noise, Buffer.alloc(5_000_000), Buffer.alloc(3_000_000, 'abc'), Buffer.from('x')]) {
      for (const piece of [1, 3, 4096, 1 << 30]) {
        expect(expand(compressed(bytes), bytes.length, piece)?.equals(bytes)).to.equal(true)
      }
    }
  })

  it('agrees with the decoder of whole blocks about every block, sound or not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ maxLength: 8 }), fc.nat(300)), { maxLength: 30 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(),
        fc.nat(255),
        fc.integer({ min: -1, max: 1 }),
        (runs, piece, at, byte, off) => {
          const bytes = Buffer.from(runs.map(([text, times]) => text.repeat(times)).join(''))
          const block = Buffer.from(compressed(bytes))
          const size = Math.max(0, bytes.length + off)
          for (const altered of [false, true]) {
            if (altered && block.length > 0) block[at % block.length] = byte
            const whole = Buffer.alloc(size)
            const sound = lz4DecodeBlock(block, 0, block.length, whole, 0, size)
            const streamed = expand(block, size, piece)
            expect(streamed !== undefined).to.equal(sound)
            if (sound) expect(streamed?.equals(whole)).to.equal(true)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
