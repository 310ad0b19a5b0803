/** What is said of a stream that is not that of its block. */
import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { checkXzStream } from '../../../../src/archive/filters/xz/check.ts'
import { sample } from '../../../support/decoding.ts'
import { run } from '../../../support/processes.ts'

describe('the check of an xz stream', () => {
  const input = sample(600)
  const stream = run('xz', ['-c', '-T1', '--check=crc64'], input)
  const footer = stream.subarray(-12)
  const indexBytes = (footer.readUInt32LE(4) + 1) * 4
  const blocks = stream.subarray(12, -12 - indexBytes)
  const index = stream.subarray(-12 - indexBytes, -12)

  /** The stream with other parts, all checksums right. */
  function withParts(parts: { blocks?: Buffer; index?: Buffer }): Buffer {
    const body = Buffer.from(parts.index ?? index.subarray(0, -4))
    const sum = Buffer.alloc(4)
    sum.writeUInt32LE(crc32(body))
    const end = Buffer.from(footer)
    end.writeUInt32LE((body.length + 4) / 4 - 1, 4)
    end.writeUInt32LE(crc32(end.subarray(4, 10)), 0)
    return Buffer.concat([stream.subarray(0, 12), parts.blocks ?? blocks, body, sum, end])
  }

  it('finds nothing in the stream of the program', () => {
    expect(checkXzStream(input, stream)).to.equal(undefined)
    expect(checkXzStream(input, withParts({}))).to.equal(undefined)
  })

  it('finds what is no whole stream', () => {
    expect(checkXzStream(input, stream.subarray(0, -1))).to.equal(
      `wrote ${stream.length - 1} bytes that are no whole xz stream`,
    )
  })

  it('finds blocks that are missing, or more than there should be', () => {
    const long = Buffer.from(footer)
    long.writeUInt32LE(10_000, 4)
    long.writeUInt32LE(crc32(long.subarray(4, 10)), 0)
    const short = Buffer.concat([stream.subarray(0, -12), long])
    expect(checkXzStream(input, short)).to.equal('wrote an xz stream that lacks its blocks')
    expect(checkXzStream(input, withParts({ blocks: blocks.subarray(4) }))).to.equal(
      'wrote an xz stream that lacks a part of its blocks',
    )
    expect(checkXzStream(input, withParts({ blocks: Buffer.concat([blocks, Buffer.alloc(4)]) }))).to.equal(
      'wrote more blocks than its index names',
    )
  })

  it('finds an index that is damaged, by its checksum or by its numbers', () => {
    const damaged = Buffer.from(stream)
    damaged[stream.length - 12 - indexBytes + 1] = 9
    expect(checkXzStream(input, damaged)).to.equal('wrote a damaged index')
    expect(checkXzStream(input, withParts({ index: Buffer.from([0, 1, 0x80, 0x80]) }))).to.equal(
      'wrote a damaged index',
    )
  })

  it('finds other data, and less of it', () => {
    const other = Buffer.from(input)
    other[0] = 0
    expect(checkXzStream(other, stream)).to.equal('wrote other data than it was given')
    const more = Buffer.concat([input, Buffer.from('more')])
    expect(checkXzStream(more, stream)).to.equal('compressed 600 of the 604 bytes that it was given')
  })
})
