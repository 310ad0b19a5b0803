/** The directory of a zip, entry by entry and field by field, as any writer may put it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { Window } from '../../../../src/archive/formats/window.ts'
import {
  findDirectory,
  passEntry,
  readEntry,
  type ZipEntry,
} from '../../../../src/archive/formats/zip/read-directory.ts'
import { Input } from '../../../../src/archive/input.ts'
import { Reading } from '../../../../src/archive/member.ts'
import { Source } from '../../../../src/archive/source.ts'
import { scratch } from '../../../support/fixtures.ts'

const LARGE = 0xffff_ffff
/** The time of an entry that has no other. */
const DOS_EPOCH = new Date(1980, 0, 1).getTime() / 1000

interface Given {
  name?: string | Buffer
  madeOn?: number
  flags?: number
  date?: [time: number, date: number]
  packed?: number
  size?: number
  offset?: number
  extra?: Buffer
  comment?: string
}

/** An entry of the directory, and its comment. */
function entry(given: Given = {}): Buffer {
  const { madeOn = 3, flags = 0, date = [0, 0x21], packed = 5, size = 6, offset = 7, extra = Buffer.alloc(0) } = given
  const [name, comment] = [Buffer.from(given.name ?? 'a'), Buffer.from(given.comment ?? '')]
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt8(madeOn, 5)
  header.writeUInt16LE(flags, 8)
  header.writeUInt16LE(8, 10)
  header.writeUInt16LE(date[0], 12)
  header.writeUInt16LE(date[1], 14)
  header.writeUInt32LE(0xdeadbeef, 16)
  header.writeUInt32LE(packed, 20)
  header.writeUInt32LE(size, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(extra.length, 30)
  header.writeUInt16LE(comment.length, 32)
  header.writeUInt32LE(0x81a4_0000, 38)
  header.writeUInt32LE(offset, 42)
  return Buffer.concat([header, name, extra, comment])
}

function field(id: number, ...parts: (Buffer | readonly number[] | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  const header = Buffer.alloc(4)
  header.writeUInt16LE(id, 0)
  header.writeUInt16LE(content.length, 2)
  return Buffer.concat([header, content])
}

const u64 = (...values: (number | bigint)[]) => Buffer.from(BigUint64Array.from(values.map(BigInt)).buffer)
const i32 = (value: number) => Buffer.from(Int32Array.of(value).buffer)
const UT = (...parts: (Buffer | readonly number[])[]) => field(0x5455, ...parts)
const UX = (...bytes: number[]) => field(0x7875, bytes)
const UP = (name: string | Buffer, of: string, version = 1) =>
  field(0x7075, [version], Buffer.from(Uint32Array.of(crc32(of)).buffer), Buffer.from(name))
/** The time of modification in a tag of NTFS, two others behind it. */
const NTFS = (seconds: number, ...before: Buffer[]) => {
  const units = u64(BigInt(Math.round((seconds + 11_644_473_600) * 10)) * 1_000_000n, 0, 0)
  return field(0x000a, [0, 0, 0, 0], ...before, field(1, units))
}

async function* pieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

const reading = () => new Reading('x.zip', 'zip')
const readOne = (bytes: Buffer, length = 1 << 20): Promise<ZipEntry> =>
  readEntry(new Input(pieces(bytes, length)), 1000, reading())

describe('archive/formats/zip/read-directory', () => {
  describe('an entry', () => {
    it('has all that its header says', async () => {
      // 2023-11-14 22:13:20 where this runs.
      const date: [number, number] = [(22 << 11) | (13 << 5) | 10, ((2023 - 1980) << 9) | (11 << 5) | 14]
      const { rawName, ...found } = await readOne(entry({ name: 'job/a', date, comment: 'any' }))
      expect(`${rawName}`).to.equal('job/a')
      expect(found).to.deep.equal({
        offset: 1000,
        name: 'job/a',
        rawRecords: undefined,
        unicodePath: undefined,
        unix: true,
        encrypted: false,
        method: 8,
        crc: 0xdeadbeef,
        packed: 5,
        size: 6,
        attributes: 0x81a4_0000,
        headerOffset: 7,
        mtimeSeconds: new Date(2023, 10, 14, 22, 13, 20).getTime() / 1000,
        uid: 0,
        gid: 0,
        extra: undefined,
      })
    })

    for (const [what, given, found] of [
      ['made on macOS', { madeOn: 19 }, { unix: true }],
      ['made on Windows', { madeOn: 0 }, { unix: false }],
      ['that is encrypted', { flags: 1 }, { encrypted: true }],
      ['that is encrypted strongly', { flags: 0x40 }, { encrypted: true }],
      ['whose header is masked', { flags: 0x2000 }, { encrypted: true }],
      ['of other flags', { flags: 0x0e }, { encrypted: false }],
      ['with the flag of UTF-8', { name: 'né', flags: 0x0800 }, { name: 'né' }],
      ['of UTF-8 without its flag', { name: 'né' }, { name: 'né' }],
      ['of code page 437', { name: Buffer.from([0x6e, 0x80, 0x81, 0xe1, 0xff, 0x7f]) }, { name: 'nÇüß\u00a0\x7f' }],
      ['with a time', { extra: UT([1], i32(-5)) }, { mtimeSeconds: -5 }],
      ['with times', { extra: UT([7], i32(5), i32(6), i32(7)) }, { mtimeSeconds: 5 }],
      ['with a field of times that has none of modification', { extra: UT([6], i32(5), i32(6)) }, { mtimeSeconds: 0 }],
      ['with a field of times that has none at all', { extra: UT([0]) }, { mtimeSeconds: 0 }],
      ['with a time of NTFS', { extra: NTFS(1.5) }, { mtimeSeconds: 1.5 }],
      ['with a time of NTFS behind another tag', { extra: NTFS(2.5, field(2, 'any')) }, { mtimeSeconds: 2.5 }],
      ['with both times', { extra: Buffer.concat([UT([1], i32(5)), NTFS(2.5)]) }, { mtimeSeconds: 5 }],
      [
        'with both times, the other way round',
        { extra: Buffer.concat([NTFS(2.5), UT([1], i32(5))]) },
        { mtimeSeconds: 5 },
      ],
      ['with an owner', { extra: UX(1, 4, 1, 2, 3, 0, 2, 4, 5) }, { uid: 0x030201, gid: 0x0504 }],
      [
        'with an owner of the most bytes',
        { extra: UX(1, 6, 1, 0, 0, 0, 0, 1, 6, 2, 0, 0, 0, 0, 1) },
        { uid: 2 ** 40 + 1, gid: 2 ** 40 + 2 },
      ],
      ['with an owner of more bytes', { extra: UX(1, 7, 1, 0, 0, 0, 0, 0, 0, 1, 2) }, { uid: 0, gid: 0 }],
      ['with a group of more bytes', { extra: UX(1, 1, 1, 7, 2, 0, 0, 0, 0, 0, 0) }, { uid: 0, gid: 0 }],
      ['with a user alone', { extra: UX(1, 1, 9, 0) }, { uid: 9, gid: 0 }],
      ['with a group alone', { extra: UX(1, 0, 1, 9) }, { uid: 0, gid: 9 }],
      ['with an owner of another version', { extra: UX(2, 1, 8, 1, 9) }, { uid: 0, gid: 0 }],
      ['with an owner that is cut off', { extra: UX(1, 1, 8, 2, 9) }, { uid: 0, gid: 0 }],
      ['with an owner of nothing', { extra: UX() }, { uid: 0, gid: 0 }],
      ['with its name in Unicode', { extra: UP('é', 'a') }, { name: 'é' }],
      ['with another name in Unicode', { extra: UP('é', 'b') }, { name: 'a' }],
      ['with a name in Unicode that is none', { extra: UP(Buffer.from([0xc3]), 'a') }, { name: 'a' }],
      ['with a name in Unicode that is cut off', { extra: field(0x7075, [1, 0, 0, 0]) }, { name: 'a' }],
      [
        'whose size is in Zip64',
        { size: LARGE, extra: field(1, u64(2 ** 40)) },
        { size: 2 ** 40, packed: 5, headerOffset: 7 },
      ],
      [
        'whose packed size is in Zip64',
        { packed: LARGE, extra: field(1, u64(2 ** 40)) },
        { size: 6, packed: 2 ** 40, headerOffset: 7 },
      ],
      [
        'whose offset is in Zip64',
        { offset: LARGE, extra: field(1, u64(2 ** 40)) },
        { size: 6, packed: 5, headerOffset: 2 ** 40 },
      ],
      [
        'of which all is in Zip64',
        { size: LARGE, packed: LARGE, offset: LARGE, extra: field(1, u64(2 ** 41, 2 ** 42, 2 ** 43)) },
        { size: 2 ** 41, packed: 2 ** 42, headerOffset: 2 ** 43 },
      ],
      ['with records', { extra: field(0x4c46, '16 FLUX.k=value\n') }, { extra: { 'FLUX.k': 'value' } }],
      [
        'with fields that are not known',
        { extra: Buffer.concat([field(9, '16 FLUX.k=value\n'), UX(1, 1, 8, 1, 9)]) },
        { uid: 8, gid: 9, extra: undefined },
      ],
      [
        'with an empty field at the end',
        { extra: Buffer.concat([UX(1, 1, 8, 1, 9), UT()]) },
        { uid: 8, mtimeSeconds: DOS_EPOCH },
      ],
      [
        'with a field that is cut off',
        { extra: Buffer.concat([UX(1, 1, 8, 1, 9), UT([1], i32(5)).subarray(0, 8)]) },
        { uid: 8, mtimeSeconds: DOS_EPOCH },
      ],
      ['with an owner whose field is cut off', { extra: UX(1, 1, 8, 1, 9, 0).subarray(0, -1) }, { uid: 0, gid: 0 }],
      ['with a time of which there are only flags', { extra: UT([1]) }, { mtimeSeconds: DOS_EPOCH }],
      [
        'with a time of NTFS that is cut off',
        { extra: field(0x000a, [0, 0, 0, 0], field(1, Buffer.alloc(7))) },
        { mtimeSeconds: DOS_EPOCH },
      ],
      [
        'with the tag of a time of NTFS that is cut off',
        { extra: field(0x000a, [0, 0, 0, 0, 1, 0, 24]) },
        { mtimeSeconds: DOS_EPOCH },
      ],
      ['with less than a field', { extra: Buffer.concat([UX(1, 1, 8, 1, 9), Buffer.alloc(3)]) }, { uid: 8 }],
    ] as [string, Given, Partial<ZipEntry>][]) {
      it(`is read ${what}`, async () => {
        const all = await readOne(entry(given))
        const asked = Object.fromEntries(Object.keys(found).map((key) => [key, all[key as keyof ZipEntry]]))
        expect(asked).to.deep.equal(found)
      })
    }

    it('that comes in pieces of any length is followed by the next one', async () => {
      const bytes = Buffer.concat([entry({ comment: 'any' }), entry({ name: 'bc', extra: UX(1, 1, 8, 1, 9) }), entry()])
      for (const length of [1, 45, 46, 47, 49, 50, 51, 99, 1000]) {
        const input = new Input(pieces(bytes, length))
        const found = [await readEntry(input, 1000, reading()), await readEntry(input, 1000, reading())]
        expect(found.map(({ name, offset, uid }) => [name, offset, uid])).to.deep.equal([
          ['a', 1000, 0],
          ['bc', 1050, 8],
        ])
        expect(input.offset).to.equal(bytes.length - 47)
      }
    })

    it('is refused with the flag of UTF-8 where its name is none', async () => {
      const error = await readOne(entry({ name: Buffer.from([0x61, 0xff]), flags: 0x0800 })).catch((error) => error)
      expect(error).to.include({ code: 'EILSEQ', offset: 1000 })
    })

    it('that is cut off is refused, whether in its header or behind it', async () => {
      const bytes = entry({ comment: 'any' })
      for (const length of [0, 45, 46, 49]) {
        const error = await readOne(bytes.subarray(0, length)).catch((error) => error)
        expect(error, `${length}`).to.include({ code: 'EBADMSG', offset: 1000 })
        expect(error.message).to.equal('x.zip: truncated: the archive ends within the directory (at byte 1000)')
      }
    })
  })

  describe('an entry that is passed', () => {
    /** What is passed of some bytes that are there, and how many. */
    async function passed(bytes: Buffer, isThere = true): Promise<[offset: number | undefined, bytes: number]> {
      const input = new Input(pieces(bytes, 1 << 20))
      if (isThere) await input.fill(1)
      return [passEntry(input), input.position]
    }

    it('gives the offset of its member, and the next one follows', async () => {
      const bytes = entry({ name: 'abc', extra: UX(1, 1, 8, 1, 9), comment: 'comment', offset: 77 })
      expect(await passed(Buffer.concat([bytes, entry()]))).to.deep.equal([77, bytes.length])
      expect(await passed(bytes)).to.deep.equal([77, bytes.length])
    })

    it('is left to be read where it is not there, not whole, not an entry, or has its offset in Zip64', async () => {
      const bytes = entry({ comment: 'any' })
      expect(await passed(bytes, false)).to.deep.equal([undefined, 0])
      expect(await passed(bytes.subarray(0, 45))).to.deep.equal([undefined, 0])
      expect(await passed(bytes.subarray(0, -1))).to.deep.equal([undefined, 0])
      expect(await passed(Buffer.concat([Buffer.alloc(4), bytes.subarray(4)]))).to.deep.equal([undefined, 0])
      expect(await passed(entry({ offset: LARGE, extra: field(1, u64(2 ** 40)) }))).to.deep.equal([undefined, 0])
    })
  })

  describe('the end of a zip', () => {
    function end({ entries = 1, size = 46, offset = 100, disk = 0, comment = '' } = {}): Buffer {
      const bytes = Buffer.alloc(22)
      bytes.writeUInt32LE(0x06054b50, 0)
      bytes.writeUInt16LE(disk, 4)
      bytes.writeUInt16LE(entries, 10)
      bytes.writeUInt32LE(size, 12)
      bytes.writeUInt32LE(offset, 16)
      bytes.writeUInt16LE(comment.length, 20)
      return Buffer.concat([bytes, Buffer.from(comment)])
    }
    function end64(entries: number, size: number, offset: number): Buffer {
      const bytes = Buffer.alloc(56)
      bytes.writeUInt32LE(0x06064b50, 0)
      u64(entries, size, offset).copy(bytes, 32)
      return bytes
    }
    function locator(offset: number): Buffer {
      const bytes = Buffer.alloc(20)
      bytes.writeUInt32LE(0x07064b50, 0)
      u64(offset).copy(bytes, 8)
      return bytes
    }
    const before = Buffer.alloc(146, 'x')

    /** What is found in a file of some parts, and the records of the archive. */
    async function find(...parts: Buffer[]): Promise<unknown> {
      const file = join(scratch(), 'x.zip')
      writeFileSync(file, Buffer.concat(parts))
      await using source = await Source.open(file)
      const all = reading()
      const found = await findDirectory(new Window(source), all).catch((error) => error)
      if (found instanceof Error) return found.message
      return { ...found, records: { ...all.records } }
    }

    it('says where the directory is, and where the zip ends', async () => {
      const found = { entries: 1, size: 46, offset: 100, records: {} }
      expect(await find(before, end())).to.deep.equal({ ...found, end: 168 })
      expect(await find(before, end(), Buffer.from('behind'))).to.deep.equal({ ...found, end: 168 })
      expect(await find(before, end({ comment: 'some words' }), Buffer.from('x'))).to.deep.equal({
        ...found,
        records: { comment: 'some words' },
        end: 178,
      })
      // Nothing else is in an empty zip.
      const none = { entries: 0, size: 0, offset: 0, records: {}, end: 22 }
      expect(await find(end({ entries: 0, size: 0, offset: 0 }))).to.deep.equal(none)
    })

    it('is the last one whose comment fits into the file', async () => {
      const longer = Buffer.from(end({ comment: 'abc' })).subarray(0, -1)
      expect(await find(before, end(), longer)).to.deep.equal({
        entries: 1,
        size: 46,
        offset: 100,
        records: {},
        end: 168,
      })
      expect(await find(before, end({ entries: 0 }), end({ offset: 101 }))).to.include({ offset: 101, end: 190 })
    })

    it('is found behind the longest comment, and no further', async () => {
      expect(await find(before, end({ comment: 'c'.repeat(0xffff) }))).to.include({ offset: 100, end: 168 + 0xffff })
      const message = /: truncated: the directory that ends a zip is missing \(at byte 65704\)$/
      expect(await find(before, end(), Buffer.alloc(0x1_0000))).to.match(message)
    })

    it('is of a zip in one part', async () => {
      const message = 'x.zip: is one part of a zip in several, which is not supported (at byte 146)'
      for (const disk of [1, 0xfffe]) expect(await find(before, end({ disk }))).to.equal(message)
      expect(await find(before, end({ disk: 0xffff }))).to.include({ offset: 100 })
    })

    it('is refused where the directory does not fit', async () => {
      const message = 'x.zip: damaged: the directory at the end does not fit into the file (at byte 146)'
      for (const wrong of [{ offset: 101 }, { size: 47 }, { entries: 2 }, { size: 45 }])
        expect(await find(before, end(wrong)), JSON.stringify(wrong)).to.equal(message)
    })

    it('is taken from Zip64, wherever that is', async () => {
      const found = { entries: 3, size: 140, offset: 2, records: {} }
      const small = end({ entries: 0xffff, size: LARGE, offset: LARGE })
      expect(await find(before, end64(3, 140, 2), locator(146), small)).to.deep.equal({
        ...found,
        end: 146 + 56 + 20 + 22,
      })
      // The record may lie behind its locator only by damage, but need not lie right before it.
      expect(await find(before, end64(3, 140, 2), before, locator(146), small)).to.include({ entries: 3 })
      const message = (at: number) =>
        `x.zip: damaged: the Zip64 directory end is not where it should be (at byte ${at})`
      for (const at of [0, 147, 10_000, 2 ** 50])
        expect(await find(before, end64(3, 140, 2), locator(at), small)).to.equal(message(at))
      // Fewer bytes than a record has are left where it should be.
      expect(await find(before, locator(146 - 10), small)).to.equal(message(136))
    })
  })
})
