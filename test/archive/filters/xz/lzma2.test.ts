/** LZMA2 without a container, as the program xz writes it. */
import { expect } from 'chai'
import { Lzma2 } from '../../../../src/archive/filters/xz/lzma2.ts'
import { decodeFailure, flipped, noise, sample } from '../../../support/decoding.ts'
import { run } from '../../../support/processes.ts'

function packed(bytes: Uint8Array, options: string): Buffer {
  return run('xz', ['-c', '--format=raw', `--lzma2=${options}`], Buffer.from(bytes))
}

/** All chunks, up to the one that ends them. */
function decoded(bytes: Uint8Array, dictionaryBytes: number): Buffer {
  const decoder = new Lzma2(dictionaryBytes)
  const out: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += Lzma2.chunkLength(bytes, at) as number) {
    const chunk = decoder.chunk(bytes, at)
    if (chunk === undefined) return Buffer.concat(out)
    out.push(chunk)
  }
  throw new Error('no chunk ends them')
}

describe('the LZMA2 decoder', () => {
  const text = sample(3000)

  it('undoes more than the dictionary holds', () => {
    const large = sample(3_000_000)
    expect(decoded(packed(large, 'dict=4KiB,mf=hc4'), 4096).equals(large)).to.equal(true)
  })

  it('undoes chunks that do not compress, before and after others', () => {
    const mixed = Buffer.concat([noise(150_000), sample(150_000), noise(150_000)])
    expect(decoded(packed(mixed, 'dict=1MiB'), 1 << 20).equals(mixed)).to.equal(true)
  })

  for (const properties of ['lc=0,lp=0,pb=0', 'lc=4,lp=0,pb=4', 'lc=0,lp=4,pb=2', 'lc=3,lp=1,pb=0']) {
    it(`undoes what is packed with ${properties}`, () => {
      expect(decoded(packed(text, properties), 8 << 20).equals(text)).to.equal(true)
    })
  }

  it('knows the length of a chunk as soon as its header is there', () => {
    const bytes = packed(text, 'preset=6')
    // Six bytes of an LZMA chunk's header, of which the properties say nothing of its length; then the chunk that ends all.
    const lengths = Array.from(bytes, (_, n) => Lzma2.chunkLength(bytes.subarray(0, n), 0))
    expect(lengths.slice(0, 5)).to.deep.equal(Array(5).fill(undefined))
    expect(new Set(lengths.slice(5))).to.deep.equal(new Set([bytes.length - 1]))
    expect(Lzma2.chunkLength(bytes, bytes.length - 1)).to.equal(1)
  })

  const plain = (control: number) => Buffer.from([control, 0, 0, 0x61])
  const lzma = (control: number, properties: number[] = []) =>
    Buffer.from([control, 0, 0, 0, 4, ...properties, 0, 0, 0, 0, 0])
  const wrong: [what: string, chunks: Buffer[], message: string][] = [
    ['a chunk that needs a dictionary, first', [plain(2)], 'damaged: a chunk before the first dictionary'],
    [
      'an LZMA chunk that needs a dictionary, first',
      [lzma(0xc0, [0x5d])],
      'damaged: a chunk before the first dictionary',
    ],
    ['an LZMA chunk without properties', [plain(1), lzma(0x80)], 'damaged: a chunk before the first properties'],
    ['a chunk of no known kind', [plain(1), plain(3)], 'damaged: a chunk of no known kind'],
    ['properties that there are not', [lzma(0xe0, [225])], 'damaged: properties out of bounds'],
    ['more literal bits than there may be', [lzma(0xe0, [8 + 9 * 4])], 'damaged: properties out of bounds'],
  ]
  for (const [what, chunks, message] of wrong) {
    it(`refuses ${what}`, () => {
      const end = Buffer.from([0])
      expect(decodeFailure(() => decoded(Buffer.concat([...chunks, end]), 4096))).to.equal(message)
    })
  }

  it('makes no more of damaged chunks than their headers say, and fails in no other way', () => {
    const bytes = packed(text, 'preset=6')
    const headerBytes = 6
    for (let at = headerBytes; at < bytes.length - 1; at++) {
      for (const bit of [0x01, 0x80]) {
        let length = text.length
        decodeFailure(() => {
          length = decoded(flipped(bytes, at, bit), 8 << 20).length
        })
        expect(length, `byte ${at}`).to.equal(text.length)
      }
    }
  })
})
