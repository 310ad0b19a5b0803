import { join } from 'node:path'
import { expect } from 'chai'
import { putAttributes } from '../../../../src/archive/formats/iso9660/attribute-list.ts'
import { ContinuationArea, SystemUse } from '../../../../src/archive/formats/iso9660/system-use.ts'
import { scratch } from '../../../support/fixtures.ts'
import { ATTRIBUTES, IsoImage, isoinfoPaths, type Member, readWithBsdtar, writeIso } from '../../../support/iso9660.ts'

async function image(members: Iterable<Member>): Promise<{ file: string; bytes: IsoImage }> {
  const file = join(scratch(), 'x.iso')
  await writeIso(file, members)
  return { file, bytes: new IsoImage(file) }
}

const text = (buffer: Buffer) => buffer.toString('latin1')

describe('archive/formats/iso9660, its records', () => {
  it('is described byte by byte as ECMA-119 8.4 and 9.1 say', async () => {
    const { bytes } = await image([{ path: 'd/f', data: 'x' }])
    const primary = bytes.descriptor('primary')
    expect(text(primary.subarray(0, 7))).to.equal('\x01CD001\x01')
    expect(text(primary.subarray(8, 72))).to.equal(`${' '.repeat(32)}${'CDROM'.padEnd(32)}`)
    const sectors = bytes.bytes.length / 2048
    expect([primary.readUInt32LE(80), primary.readUInt32BE(84)]).to.deep.equal([sectors, sectors])
    expect(text(primary.subarray(120, 132))).to.equal('\x01\0\0\x01\x01\0\0\x01\0\x08\x08\0')
    expect(text(primary.subarray(813, 882))).to.equal(
      `2023111422132000\0${'2023111422132000\0'}${'0'.repeat(16)}\0${'0'.repeat(16)}\0\x01`,
    )
    const joliet = bytes.descriptor('joliet')
    expect(text(joliet.subarray(0, 7))).to.equal('\x02CD001\x01')
    expect(text(joliet.subarray(88, 91))).to.equal('%/E')
    expect(text(joliet.subarray(40, 50))).to.equal('\0C\0D\0R\0O\0M')
    expect(text(bytes.sector(18).subarray(0, 7))).to.equal('\xffCD001\x01')
    // Length 34, no extended attributes, position, 2048 bytes, 2023-11-14 22:13:20 UTC, directory, volume 1, identifier 0.
    const { sector } = bytes.root('primary')
    expect([...primary.subarray(156, 190)]).to.deep.equal([
      ...[34, 0, sector, 0, 0, 0, 0, 0, 0, sector, 0, 8, 0, 0, 0, 0, 8, 0],
      ...[123, 11, 14, 22, 13, 20, 0, 2, 0, 0, 1, 0, 0, 1, 1, 0],
    ])
  })

  it('describes members as RRIP 4.1 says, and itself as SUSP 5.3 and 5.5', async () => {
    const { bytes } = await image([
      { path: 'f', data: 'x' },
      { path: 'l', target: '../a/./b' },
      { path: 'm', target: '/x' },
    ])
    const [self, , file, link, absolute] = bytes.directory(bytes.root('primary'))
    const both = (n: number) => `${String.fromCharCode(n & 255, n >> 8)}\0\0\0\0${String.fromCharCode(n >> 8, n & 255)}`
    const owned = (mode: number, links: number, serial: number) =>
      `PX\x2c\x01${both(mode)}${both(links)}${both(1000)}${both(100)}${both(serial)}`
    const time = '\x7b\x0b\x0e\x16\x0d\x14\0'
    const times = `TF\x1a\x01\x0e${time}${time}${time}`
    expect(text(file?.systemUse as Buffer)).to.equal(`${owned(0o100640, 1, 2)}${times}NM\x06\x01\0f`)
    expect(text(link?.systemUse as Buffer)).to.equal(
      `${owned(0o120640, 1, 3)}${times}NM\x06\x01\0lSL\x0f\x01\0\x04\0\0\x01a\x02\0\0\x01b\0`,
    )
    expect(text(absolute?.systemUse as Buffer)).to.include('SL\x0a\x01\0\x08\0\0\x01x')
    const use = text(self?.systemUse as Buffer)
    expect(use).to.include(`SP\x07\x01\xbe\xef\0${owned(0o040755, 2, 1)}${times}CE\x1c\x01`)
    const area = text(bytes.sector((self?.sector ?? 0) + 1))
    expect(area.slice(0, 32)).to.equal('ER\xed\x01\x0a\x54\x87\x01RRIP_1991ATHE ROCK RIDGE')
    expect(area.slice(0xed).replaceAll('\0', '')).to.equal('')
  })

  it('says times that a directory record cannot in the long form of TF (RRIP 4.1.6)', async () => {
    const file = join(scratch(), 'x.iso')
    await writeIso(file, [{ path: 'f' }], { ...ATTRIBUTES, mtimeSeconds: 5_869_584_000 })
    const bytes = new IsoImage(file)
    const member = bytes.directory(bytes.root('primary')).at(-1)
    expect(text(member?.systemUse as Buffer)).to.include(`TF\x38\x01\x8e${'2156010100000000\0'.repeat(3)}NM`)
    expect(text(bytes.descriptor('primary').subarray(813, 829))).to.equal('2156010100000000')
    expect([...bytes.descriptor('primary').subarray(174, 181)]).to.deep.equal([0, 0, 0, 0, 0, 0, 0])
  })

  it('keeps further records as extended attributes, which other readers skip', async () => {
    const extra = { 'FLUX.components': '["a/b","é"]', long: 'v'.repeat(3000) }
    const { file, bytes } = await image([
      { path: 'a%2Fb', data: 'x', extra },
      { path: 'l', target: 'y', extra },
    ])
    const members = readWithBsdtar(file, 'pipe').filter(({ type }) => type !== 'dir')
    expect(members.map(({ path }) => path).sort()).to.deep.equal(['a%2Fb', 'l'])
    expect(isoinfoPaths(file, 'R')).to.include('a%2Fb')
    expect(text(bytes.bytes)).to.include('\0\x10\x03FLUX.components\0\x0c["a/b","\xc3\xa9"]')
  })

  it('writes attributes as the specification of AAIP 2.0 says', () => {
    const use = new SystemUse()
    putAttributes(use, { name: `${'v'.repeat(240)}w`, one: 'more' })
    const record = Buffer.alloc(600)
    const length = use.place(record, 0, 600, new ContinuationArea())
    expect(text(record.subarray(0, length))).to.equal(
      // The value is cut so that its last byte is in the second entry, which no reader can then take for a new component.
      `AL\xfe\x01\x01\0\x05\x03name\x01\xf0${'v'.repeat(240)}AL\x14\x01\0\0\x01w\0\x04\x03one\0\x04more`,
    )
  })
})
