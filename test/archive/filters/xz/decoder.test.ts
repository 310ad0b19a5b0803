/** Streams of the program xz, undone. */
import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { XzDecoder } from '../../../../src/archive/filters/xz/decoder.ts'
import { decoded, decodeFailure, failuresOfFlips, flipped, noise, pieces, sample } from '../../../support/decoding.ts'
import { run } from '../../../support/processes.ts'

const packed = (bytes: Uint8Array, ...args: string[]) => run('xz', ['-c', ...args], Buffer.from(bytes))

describe('the xz decoder', () => {
  const text = sample(600)
  const stream = packed(text)

  it('takes input split at any offset', () => {
    for (let at = 0; at <= stream.length; at++) {
      const out = decoded(new XzDecoder(), stream.subarray(0, at), stream.subarray(at))
      expect(out.equals(text), `split at ${at}`).to.equal(true)
    }
    expect(decoded(new XzDecoder(), ...pieces(stream, 1)).equals(text)).to.equal(true)
  })

  for (const check of ['none', 'crc32', 'crc64', 'sha256']) {
    it(`takes blocks with the check ${check}, and finds a damaged byte unless there is none`, () => {
      const blocks = packed(text, `--check=${check}`, '--block-size=250')
      expect(decoded(new XzDecoder(), blocks).equals(text)).to.equal(true)
      let missed = 0
      for (let at = 0; at < blocks.length; at++) {
        const failure = decodeFailure(() => decoded(new XzDecoder(), flipped(blocks, at)))
        if (failure === undefined) missed++
        else expect(failure, `byte ${at}`).to.match(/^(damaged: |truncated$|not supported: )/)
      }
      if (check !== 'none') expect(missed).to.equal(0)
    })
  }

  it('says what is wrong with a stream, whichever bit of it is changed', () => {
    expect(failuresOfFlips(() => new XzDecoder(), packed(text, '--block-size=250'))).to.deep.equal([
      'damaged: a block of another size than its header says',
      "damaged: a block's checksum does not match",
      'damaged: a chunk before the first dictionary',
      'damaged: a chunk does not have its declared length',
      'damaged: a chunk of no known kind',
      'damaged: a chunk that begins wrongly',
      'damaged: a match outside the dictionary or its chunk',
      "damaged: a stream's footer does not match",
      'damaged: an index of other blocks',
      'damaged: no xz stream where one should be',
      'damaged: properties out of bounds',
      "damaged: the checksum of a block's header does not match",
      "damaged: the checksum of a stream's footer does not match",
      "damaged: the checksum of a stream's header does not match",
      'damaged: the checksum of the index does not match',
      'truncated',
    ])
  })

  it('refuses a number that does not end', () => {
    const header = stream.subarray(0, 12)
    // An index, whose first number is that of the blocks.
    const index = Buffer.from([0, ...Array(9).fill(0x80), 0])
    const failure = decodeFailure(() => decoded(new XzDecoder(), Buffer.concat([header, index])))
    expect(failure).to.equal('damaged: a number without an end')
  })

  it('takes blocks whose sizes stand in their headers', () => {
    // With threads xz goes back and writes them.
    const large = sample(200_000)
    const blocks = packed(large, '-T2', '--block-size=50KiB')
    expect(decoded(new XzDecoder(), ...pieces(blocks, 1000)).equals(large)).to.equal(true)
  })

  it('takes streams one after another for one, with zeros by fours between them, and empty ones', () => {
    const zeros = Buffer.alloc(8)
    const streams = Buffer.concat([stream, zeros, packed(new Uint8Array()), stream, zeros])
    const expected = Buffer.concat([text, text])
    expect(decoded(new XzDecoder(), streams).equals(expected)).to.equal(true)
    expect(decoded(new XzDecoder(), ...pieces(streams, 7)).equals(expected)).to.equal(true)
  })

  it('refuses what follows a stream and is no other one', () => {
    const failure = (more: Uint8Array) => decodeFailure(() => decoded(new XzDecoder(), Buffer.concat([stream, more])))
    expect(failure(Buffer.alloc(3))).to.equal('truncated')
    expect(failure(Buffer.from('and more, that is no stream'))).to.match(/^damaged: no xz stream/)
  })

  it('tells where the input ends too early, wherever that is', () => {
    const two = Buffer.concat([stream, stream])
    for (let length = 0; length < two.length; length++) {
      if (length === stream.length) continue
      const failure = decodeFailure(() => decoded(new XzDecoder(), two.subarray(0, length)))
      expect(failure, `${length} bytes`).to.equal('truncated')
    }
  })

  it('refuses filters for programs, and says so', () => {
    const failure = decodeFailure(() => decoded(new XzDecoder(), packed(noise(100), '--x86', '--lzma2')))
    expect(failure).to.equal('not supported: a filter other than LZMA2')
  })

  const unusual: [bytes: Record<number, number>, message: string][] = [
    [{ 6: 1 }, 'not supported: a stream of an unknown kind'],
    [{ 7: 0x10 }, 'not supported: a stream of an unknown kind'],
    [{ 7: 2 }, 'not supported: a checksum of an unknown kind'],
    [{ 13: 0x04 }, 'not supported: a block of an unknown kind'],
    [{ 14: 0x20 }, 'not supported: a filter other than LZMA2'],
    [{ 16: 41 }, 'damaged: a dictionary out of bounds'],
    [{ 16: 40 }, 'not supported: a dictionary of 4096 MiB, more than '],
    [{ 16: 38 }, 'not supported: a dictionary of 2048 MiB, more than '],
    [{ 14: 0x80, 15: 0x80, 16: 0x80, 17: 0x80, 18: 0x80, 19: 0x80 }, 'damaged: a header is too short'],
  ]
  for (const [bytes, message] of unusual) {
    it(`says "${message}" of a header with ${JSON.stringify(bytes)}, whose checksum is right`, () => {
      const file = packed(Buffer.from('x'))
      for (const [at, byte] of Object.entries(bytes)) file[Number(at)] = byte
      // The header of the stream is 12 bytes, that of the block 12 more.
      file.writeUInt32LE(crc32(file.subarray(6, 8)), 8)
      file.writeUInt32LE(crc32(file.subarray(12, 20)), 20)
      expect(decodeFailure(() => decoded(new XzDecoder(), file))).to.include(message)
    })
  }
})
