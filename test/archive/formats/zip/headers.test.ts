/** The headers of a zip, byte by byte (PKWARE APPNOTE.TXT 6.3.10, 4.3.7 to 4.3.16). */
import { expect } from 'chai'
import {
  directoryEnd,
  fitsHeaders,
  HEADER_ROOM,
  ZipHeaders,
  type ZipMember,
} from '../../../../src/archive/formats/zip/headers.ts'

const ATTRIBUTES = { mode: 0o640, uid: 1000, gid: 100, mtimeSeconds: 1_700_000_000 }
const MEMBER: ZipMember = {
  name: Buffer.from('a/b'),
  isSymlink: false,
  isDeflated: true,
  crc: 0xdeadbeef,
  packed: 7,
  size: 9,
  records: Buffer.alloc(0),
}
const AT = 5

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function local(change: Partial<ZipMember> = {}, attributes = ATTRIBUTES): Buffer {
  const out = Buffer.alloc(1000, 0xaa)
  const end = new ZipHeaders(attributes).local(out, AT, { ...MEMBER, ...change })
  expect(hexOf(out.subarray(0, AT))).to.equal('aa'.repeat(AT))
  expect(hexOf(out.subarray(end))).to.equal('aa'.repeat(out.length - end))
  return out.subarray(AT, end)
}

function central(change: Partial<ZipMember> = {}, offset = 0x1234): Buffer {
  const out = Buffer.alloc(1000, 0xaa)
  const end = new ZipHeaders(ATTRIBUTES).central(out, AT, { ...MEMBER, ...change }, offset)
  expect(hexOf(out.subarray(0, AT))).to.equal('aa'.repeat(AT))
  expect(hexOf(out.subarray(end))).to.equal('aa'.repeat(out.length - end))
  return out.subarray(AT, end)
}

/** The extra fields of a header, by id. */
function extra(header: Buffer, from: number): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let at = from; at < header.length; ) {
    const end = at + 4 + header.readUInt16LE(at + 2)
    expect(end).to.be.at.most(header.length)
    fields[header.readUInt16LE(at).toString(16)] = hexOf(header.subarray(at + 4, end))
    at = end
  }
  return fields
}
const extraOfLocal = (header: Buffer) => extra(header, 30 + header.readUInt16LE(26))
const extraOfCentral = (header: Buffer) => extra(header, 46 + header.readUInt16LE(28))

/** The time, 2023-11-14T22:13:20Z, in DOS's form; the owner in "ux"; the time in "UT". */
const DOS_TIME = 'aab16e57'
const UX = '0104e80300000464000000'
const UT = '0100f15365'

describe('archive/formats/zip/headers', () => {
  it('writes a header before the content as the specification has it', () => {
    expect(hexOf(local())).to.equal(
      `504b0304${'1400'}${'0000'}${'0800'}${DOS_TIME}efbeadde${'07000000'}${'09000000'}${'0300'}${'2300'}${hexOf(MEMBER.name)}` +
        `55540500${UT}75780b00${UX}786c0700${'05'}${'1403'}${'0000a081'}`,
    )
  })

  it('writes an entry of the directory as the specification has it', () => {
    expect(hexOf(central())).to.equal(
      `504b0102${'1403'}${'1400'}${'0000'}${'0800'}${DOS_TIME}efbeadde${'07000000'}${'09000000'}${'0300'}${'1800'}${'0000'}` +
        `${'0000'}${'0000'}${'0000a081'}${'34120000'}${hexOf(MEMBER.name)}55540500${UT}75780b00${UX}`,
    )
  })

  it('marks a link, a stored content, and a name that is not ASCII', () => {
    const change = { isSymlink: true, isDeflated: false, name: Buffer.from('é\x7f') }
    const [before, entry] = [local(change), central(change)]
    expect([before.readUInt16LE(6), entry.readUInt16LE(8)]).to.deep.equal([0x800, 0x800])
    expect([before.readUInt16LE(8), entry.readUInt16LE(10)]).to.deep.equal([0, 0])
    expect(entry.readUInt32LE(38)).to.equal(0o120640 * 0x10000)
    expect(extraOfLocal(before)['6c78']).to.equal('0514030000a0a1')
    const plain = { name: Buffer.from('\x7f') }
    expect([local(plain).readUInt16LE(6), central(plain).readUInt16LE(8)]).to.deep.equal([0, 0])
  })

  it('has records in a field of their own, in both headers', () => {
    const records = Buffer.from('12 k=value\n')
    expect(extraOfLocal(local({ records }))).to.deep.include({ '4c46': hexOf(records), '7875': UX })
    expect(extraOfCentral(central({ records }))).to.deep.equal({ '4c46': hexOf(records), '7875': UX, '5455': UT })
    expect(extraOfLocal(local())).to.have.keys('5455', '7875', '6c78')
  })

  it('takes no more room than it says', () => {
    const [name, records] = [Buffer.alloc(100, 'n'), Buffer.alloc(200, 'r')]
    const large = { packed: 2 ** 33, size: 2 ** 33, name, records }
    const out = Buffer.alloc(1000)
    const headers = new ZipHeaders({ ...ATTRIBUTES, mtimeSeconds: 2 ** 33 })
    expect(headers.local(out, 0, { ...MEMBER, ...large })).to.be.at.most(HEADER_ROOM + 300)
    expect(headers.central(out, 0, { ...MEMBER, ...large }, 2 ** 33)).to.be.at.most(HEADER_ROOM + 300)
  })

  const LARGEST = 0xfffffffe
  const le = (...values: number[]) =>
    hexOf(Buffer.concat(values.map((value) => Buffer.from(new BigUint64Array([BigInt(value)]).buffer))))

  for (const [size, packed, isZip64] of [
    [LARGEST, LARGEST, false],
    [LARGEST + 1, 5, true],
    [5, LARGEST + 1, true],
    [2 ** 33 + 1, 2 ** 34 + 2, true],
  ] as const) {
    it(`writes a size of ${size}, packed to ${packed}, ${isZip64 ? 'with' : 'without'} Zip64`, () => {
      const before = local({ size, packed })
      expect(before.readUInt16LE(4)).to.equal(isZip64 ? 45 : 20)
      expect(before.readUInt32LE(18)).to.equal(isZip64 ? 0xffffffff : packed)
      expect(before.readUInt32LE(22)).to.equal(isZip64 ? 0xffffffff : size)
      // Before the content both sizes; in the directory those that do not fit.
      expect(extraOfLocal(before)['1']).to.equal(isZip64 ? le(size, packed) : undefined)
      const entry = central({ size, packed })
      expect(entry.readUInt16LE(6)).to.equal(isZip64 ? 45 : 20)
      expect(entry.readUInt32LE(20)).to.equal(Math.min(packed, 0xffffffff))
      expect(entry.readUInt32LE(24)).to.equal(Math.min(size, 0xffffffff))
      const large = [size, packed].filter((value) => value > LARGEST)
      expect(extraOfCentral(entry)['1']).to.equal(isZip64 ? le(...large) : undefined)
    })
  }

  it('writes the offset of a member with Zip64 where it does not fit', () => {
    const fits = central({}, LARGEST)
    expect(fits.readUInt32LE(42)).to.equal(LARGEST)
    expect(extraOfCentral(fits)).to.have.keys('5455', '7875')
    const large = central({ size: 2 ** 33 }, LARGEST + 1)
    expect(large.readUInt32LE(42)).to.equal(0xffffffff)
    expect(extraOfCentral(large)['1']).to.equal(le(2 ** 33, LARGEST + 1))
  })

  it('ends the directory without Zip64 as long as everything fits', () => {
    expect(hexOf(directoryEnd(0, 0, 0))).to.equal(`504b0506${'00'.repeat(18)}`)
    expect(hexOf(directoryEnd(0xfffe, LARGEST, LARGEST - 1, 0x102))).to.equal(
      '504b050600000000fefffefffdfffffffeffffff0201',
    )
  })

  for (const [entries, offset, size] of [
    [0xffff, 1, 2],
    [3, LARGEST + 1, 2],
    [3, 1, LARGEST + 1],
    [2 ** 33, 2 ** 40, 2 ** 41],
  ] as const) {
    it(`ends the directory with Zip64 for ${entries} entries of ${size} bytes at ${offset}`, () => {
      expect(hexOf(directoryEnd(entries, offset, size, 7))).to.equal(
        `504b0606${le(44)}2d032d00${'00'.repeat(8)}${le(entries, entries, size, offset)}` +
          `504b0607${'00000000'}${le(offset + size)}${'01000000'}` +
          `504b0506${'00000000'}${hexOf(
            Buffer.from(Uint16Array.of(Math.min(entries, 0xffff), Math.min(entries, 0xffff)).buffer),
          )}${hexOf(Buffer.from(Uint32Array.of(Math.min(size, 0xffffffff), Math.min(offset, 0xffffffff)).buffer))}0700`,
      )
    })
  }

  it('writes times that "UT" holds there, and others in the field of NTFS', () => {
    const timeOf = (mtimeSeconds: number) => extraOfLocal(local({}, { ...ATTRIBUTES, mtimeSeconds }))
    expect(timeOf(2 ** 31 - 1)['5455']).to.equal('01ffffff7f')
    expect(timeOf(-(2 ** 31))['5455']).to.equal('0100000080')
    for (const seconds of [2 ** 31, -(2 ** 31) - 1]) {
      const ticks = le((seconds + 11_644_473_600) * 10_000_000)
      expect(timeOf(seconds)).to.not.have.property('5455')
      expect(timeOf(seconds).a).to.equal(`0000000001001800${ticks.repeat(3)}`)
    }
  })

  it('writes the nearest time that DOS has', () => {
    const dosTimeOf = (time: string) => {
      const header = local({}, { ...ATTRIBUTES, mtimeSeconds: Date.parse(time) / 1000 })
      const [clock, date] = [header.readUInt16LE(10), header.readUInt16LE(12)]
      const day = [(date >> 9) + 1980, (date >> 5) & 15, date & 31].join('-')
      return `${day} ${[clock >> 11, (clock >> 5) & 63, (clock & 31) * 2].join(':')}`
    }
    expect(dosTimeOf('2023-11-14T22:13:21Z')).to.equal('2023-11-14 22:13:20')
    expect(dosTimeOf('1980-01-01T00:00:02Z')).to.equal('1980-1-1 0:0:2')
    expect(dosTimeOf('1970-01-01T00:00:00Z')).to.equal('1980-1-1 0:0:0')
    expect(dosTimeOf('2107-12-31T23:59:56Z')).to.equal('2107-12-31 23:59:56')
    expect(dosTimeOf('2108-01-01T00:00:00Z')).to.equal('2107-12-31 23:59:58')
  })

  it('holds owners of 32 bits, and times from 1601 on', () => {
    const fits = (change: Partial<typeof ATTRIBUTES>) => fitsHeaders({ ...ATTRIBUTES, ...change })
    for (const change of [{ uid: 2 ** 32 - 1 }, { gid: 2 ** 32 - 1 }]) {
      expect(fits(change)).to.equal(true)
      expect(extraOfLocal(local({}, { ...ATTRIBUTES, ...change }))['7875']).to.contain('04ffffffff')
    }
    expect([fits({ uid: 2 ** 32 }), fits({ gid: 2 ** 32 })]).to.deep.equal([false, false])
    for (const mtimeSeconds of [-11_644_473_600, 2 ** 40 - 1]) {
      expect(fits({ mtimeSeconds })).to.equal(true)
      local({}, { ...ATTRIBUTES, mtimeSeconds })
    }
    expect([fits({ mtimeSeconds: -11_644_473_601 }), fits({ mtimeSeconds: 2 ** 40 })]).to.deep.equal([false, false])
  })
})
