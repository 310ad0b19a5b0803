/** Archives that say more than they hold, or hold more than they say. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { ArchiveError, openArchive } from '../../src/archive/index.ts'
import { scratch } from '../support/fixtures.ts'

/** Read all of an archive. @returns the bytes of its contents, and its losses where it is salvaged */
async function read(bytes: Buffer, isSalvaging = false): Promise<{ contents: number; losses: string[] }> {
  const file = join(scratch(), 'x')
  writeFileSync(file, bytes)
  const losses: string[] = []
  const options = isSalvaging ? { onLoss: (error: Error) => losses.push(error.message) } : {}
  let contents = 0
  await using archive = await openArchive(file, options)
  for await (const batch of archive.batches()) {
    for (const { data, stream } of batch) {
      contents += data?.length ?? 0
      if (stream) for await (const chunk of stream()) contents += chunk.length
    }
  }
  return { contents, losses }
}

/** A header of a tar. @param size - the bytes of its field, or a number */
function tarHeader(typeflag: string, size: number | Buffer): Buffer {
  const header = Buffer.alloc(512)
  header.write('name')
  for (const at of [100, 108, 116]) header.write('0000644\0', at)
  if (typeof size === 'number') header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  else size.copy(header, 124)
  header.write('00000000000\0', 136)
  header.write(typeflag, 156)
  header.write('ustar\x0000', 257)
  header.fill(' ', 148, 156)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

const END = Buffer.alloc(1024)
const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(-text.length & 511)])

function nested(times: number): Buffer {
  let bytes: Buffer = Buffer.concat([tarHeader('0', 0), END])
  for (let n = 0; n < times; n++) bytes = gzipSync(bytes)
  return bytes
}

function pax(record: string): Buffer {
  return Buffer.concat([tarHeader('x', record.length), padded(record)])
}

/** A zip with many entries in its directory that all are one member. */
function overlapping(entries: number): Buffer {
  const content = Buffer.alloc(1_000_000)
  const packed = deflateRawSync(content)
  const local = Buffer.alloc(31)
  local.writeUInt32LE(0x04034b50)
  local.writeUInt16LE(20, 4)
  local.writeUInt16LE(8, 8)
  local.writeUInt32LE(crc32(content), 14)
  local.writeUInt32LE(packed.length, 18)
  local.writeUInt32LE(content.length, 22)
  local.writeUInt16LE(1, 26)
  local.write('a', 30)
  const entry = Buffer.alloc(47)
  entry.writeUInt32LE(0x02014b50)
  local.copy(entry, 6, 4, 30)
  entry.write('a', 46)
  const directory = Buffer.concat(Array<Buffer>(entries).fill(entry))
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(entries, 8)
  end.writeUInt16LE(entries, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(local.length + packed.length, 16)
  return Buffer.concat([local, packed, directory, end])
}

/** An xz whose only block has a dictionary of 4 GiB. */
function largeDictionary(): Buffer {
  const crc = (bytes: Buffer) => {
    const sum = Buffer.alloc(4)
    sum.writeUInt32LE(crc32(bytes))
    return sum
  }
  const flags = Buffer.of(0, 1)
  const block = Buffer.of(2, 0, 0x21, 1, 40, 0, 0, 0)
  return Buffer.concat([Buffer.from('fd377a585a00', 'hex'), flags, crc(flags), block, crc(block), Buffer.alloc(64)])
}

const CASES: [what: string, bytes: () => Buffer, error: RegExp][] = [
  ['a gzip of a gzip, five times', () => nested(5), /is compressed more than 4 times/],
  ['a pax header of 1 GiB', () => tarHeader('x', 2 ** 30), /a header of 1073741824 bytes: at most 1048576 are read/],
  [
    'more pax headers than one member may have',
    () => Buffer.concat(Array<Buffer>(1100).fill(pax(`1000 comment=${'y'.repeat(986)}\n`))),
    /a header of [0-9]+ bytes: at most 1048576 are read/,
  ],
  ['a negative size in base 256', () => tarHeader('0', Buffer.alloc(12, 0xff)), /the size is negative/],
  [
    'a size in base 256 beyond all numbers',
    () => tarHeader('0', Buffer.from(`80${'7f'.repeat(11)}`, 'hex')),
    /the size is out of range/,
  ],
  [
    'a negative size in a pax header',
    () => Buffer.concat([pax('11 size=-5\n'), tarHeader('0', 5), padded('hello'), END]),
    /size is not a number/,
  ],
  [
    'a sparse file of 93 GiB',
    () => Buffer.concat([pax('22 GNU.sparse.major=1\n'), tarHeader('0', 512), padded('1\n0\n99999999999\n'), END]),
    /is a sparse file, which is not supported/,
  ],
  ['a zip whose members are one', () => overlapping(1000), /two members have one content/],
  [
    'a zstd with a window of 2 GiB',
    () => Buffer.concat([Buffer.from('28b52ffd00a8010000', 'hex'), Buffer.alloc(100)]),
    /a window of more than 128 MiB, which is not supported/,
  ],
  ['an xz with a dictionary of 4 GiB', largeDictionary, /not supported: a dictionary of 4096 MiB, more than 256/],
]

describe('archives that are larger than they look', () => {
  for (const [what, bytes, pattern] of CASES) {
    it(`are refused in one line: ${what}`, async () => {
      const error = await read(bytes()).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(error).to.be.instanceOf(ArchiveError)
      expect((error as Error).message)
        .to.match(pattern)
        .and.not.include('\n')
    })
  }

  it('are read up to four filters deep', async () => {
    expect(await read(nested(4))).to.deep.equal({ contents: 0, losses: [] })
  })

  it('are salvaged with headers whose sizes and fields are as large as they can be', async () => {
    const field = Buffer.alloc(20, 0xff)
    field.writeUInt16LE(1)
    field.writeUInt16LE(16, 2)
    const long = Buffer.alloc(65_535)
    long.writeUInt16LE(0x7777)
    long.writeUInt16LE(65_531, 2)
    for (const extra of [field, long]) {
      const local = Buffer.alloc(31)
      local.writeUInt32LE(0x04034b50)
      local.fill(0xff, 18, 26)
      local.writeUInt16LE(1, 26)
      local.writeUInt16LE(extra.length, 28)
      local.write('a', 30)
      const { contents, losses } = await read(Buffer.concat([local, extra, Buffer.alloc(64)]), true)
      expect(contents).to.equal(0)
      expect(losses).not.to.have.length(0)
      const isLong = extra === long
      expect(losses.join('\n')).to.match(
        isLong ? /: truncated: / : /: damaged: the size of a member is lost \(at byte 0\)$/m,
      )
    }
  })

  it('have no content read again and again when they are salvaged', async () => {
    const entries = 1000
    const { contents, losses } = await read(overlapping(entries), true)
    // The directory alone is 47 times as long as the content has packed bytes: so many contents fit twice in the file.
    expect(contents).to.be.below(200_000_000)
    expect(losses.length).to.be.above(entries - 200)
    expect(losses[0]).to.include('a: damaged: its content overlaps that of other members')
  })
})
