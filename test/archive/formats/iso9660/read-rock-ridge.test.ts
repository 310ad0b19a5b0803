/** The fields of a directory record, byte by byte as other writers may put them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type RockRidge, readRockRidge } from '../../../../src/archive/formats/iso9660/read-rock-ridge.ts'
import { Window } from '../../../../src/archive/formats/window.ts'
import { Reading } from '../../../../src/archive/member.ts'
import { Source } from '../../../../src/archive/source.ts'
import { scratch } from '../../../support/fixtures.ts'

const BLOCK = 2048

/** What is found where there is no field at all. */
const NOTHING: RockRidge = {
  name: undefined,
  mode: undefined,
  uid: 0,
  gid: 0,
  mtimeSeconds: undefined,
  linkname: undefined,
  extra: undefined,
  relocatedTo: undefined,
  relocated: false,
  compressed: false,
  skip: undefined,
}

/** Read fields that may continue in the blocks of a file. */
async function read(area: Buffer, blocks: Buffer = Buffer.alloc(0)): Promise<RockRidge> {
  const file = join(scratch(), 'blocks')
  writeFileSync(file, blocks)
  await using source = await Source.open(file)
  return await readRockRidge(area, BLOCK, new Window(source), new Reading('x.iso', 'iso9660'), 77)
}

const bytes = (...parts: (number | string | Buffer)[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part as string, 'latin1'))),
  )
const field = (signature: string, ...parts: (number | string | Buffer)[]) => {
  const content = bytes(...parts)
  return bytes(signature, 4 + content.length, 1, content)
}
/** A number in both byte orders. */
const both = (value: number) => {
  const buffer = Buffer.alloc(8)
  buffer.writeUInt32LE(value, 0)
  buffer.writeUInt32BE(value, 4)
  return buffer
}
const short = (...date: [number, number, number, number, number, number]) => bytes(...date, 0)
const goesOnAt = (block: number, offset: number, length: number) => field('CE', both(block), both(offset), both(length))

describe('archive/formats/iso9660/read-rock-ridge', () => {
  for (const [what, area, found] of [
    ['nothing', Buffer.alloc(0), {}],
    ['a name', field('NM', 0, 'name'), { name: 'name' }],
    [
      'a name in parts, which may end within a character',
      bytes(field('NM', 1, 'na\xc3'), field('NM', 0, '\xa9e')),
      { name: 'naée' },
    ],
    ['a name of no bytes', field('NM', 0), { name: '' }],
    ['a field of a name without flags', field('NM'), {}],
    ['the name of the directory itself', field('NM', 2, '.'), {}],
    ['the name of its parent', field('NM', 4, '..'), {}],
    [
      'mode and owner',
      field('PX', both(0o100644), both(1), both(70_000), both(80_000), both(9)),
      { mode: 0o100644, uid: 70_000, gid: 80_000 },
    ],
    [
      'mode and owner without a serial number, as RRIP 1.10 has them',
      field('PX', both(0o100644), both(1), both(5), both(6)),
      { mode: 0o100644, uid: 5, gid: 6 },
    ],
    ['mode and owner that are cut off', field('PX', both(0o100644), both(1), both(5), both(6).subarray(0, 7)), {}],
    ['the time of modification alone', field('TF', 2, short(70, 1, 2, 0, 0, 1)), { mtimeSeconds: 86_401 }],
    [
      'the time of modification behind that of creation',
      field('TF', 3, short(99, 1, 1, 0, 0, 0), short(70, 1, 2, 0, 0, 1)),
      { mtimeSeconds: 86_401 },
    ],
    ['other times only', field('TF', 0x0d, short(99, 1, 1, 0, 0, 0), short(99, 1, 1, 0, 0, 0)), {}],
    ['a time that is cut off', field('TF', 2, short(70, 1, 2, 0, 0, 1).subarray(0, 6)), {}],
    [
      'a time of modification, and then a field without one',
      bytes(field('TF', 2, short(70, 1, 2, 0, 0, 1)), field('TF', 4, short(99, 1, 1, 0, 0, 0))),
      { mtimeSeconds: 86_401 },
    ],
    ['no date', field('TF', 2, short(0, 0, 0, 0, 0, 0)), { mtimeSeconds: 0 }],
    [
      'a long time behind another',
      field('TF', 0x83, '1999010100000000\0', '1970010200000150\0'),
      { mtimeSeconds: 86_401.5 },
    ],
    ['a long time of other characters', field('TF', 0x82, '19700102000001xx\0'), {}],
    ['a link', field('SL', 0, 0, 1, 'a', 0, 2, 'bc'), { linkname: 'a/bc' }],
    ['a link from the root', field('SL', 0, 8, 0, 0, 1, 'a'), { linkname: '/a' }],
    ['a link to what is above', field('SL', 0, 4, 0, 2, 0, 0, 1, 'a'), { linkname: '.././a' }],
    [
      'a link whose component goes on in the next, and in the next field',
      bytes(field('SL', 1, 0, 1, 'a', 1, 2, 'b\xc3'), field('SL', 0, 1, 1, '\xa9', 0, 1, 'c', 0, 1, 'd')),
      { linkname: 'a/béc/d' },
    ],
    ['a link of no components', field('SL', 0), {}],
    [
      'attributes of the namespace of users, and others',
      bytes(
        field('AL', 0, 0, 5, '\x03name', 0, 5, 'value', 0, 2, '\x02x', 0, 1, 'y'),
        field('AL', 0, 0, 2, '\x03z', 0, 0),
      ),
      { extra: { name: 'value', z: '' } },
    ],
    [
      'an attribute whose parts go on in the next, and in the next field',
      bytes(field('AL', 1, 1, 3, '\x03na', 0, 2, 'me', 1, 2, 'va'), field('AL', 0, 0, 3, 'lue')),
      { extra: { name: 'value' } },
    ],
    ['an attribute without its value', field('AL', 0, 0, 5, '\x03name'), {}],
    ['where a moved directory is', field('CL', both(70_000)), { relocatedTo: 70_000 }],
    ['where a moved directory is, cut off', field('CL', both(70_000).subarray(0, 7)), {}],
    ['that it was moved here', field('RE'), { relocated: true }],
    ['that it is compressed', field('ZF', 'pz'), { compressed: true }],
    ['how many bytes to skip', field('SP', 0xbe, 0xef, 5), { skip: 5 }],
    ['how many bytes to skip, cut off', field('SP', 0xbe, 0xef), {}],
    ['fields behind one that is not known', bytes(field('XY', 'any'), field('NM', 0, 'a')), { name: 'a' }],
    ['fields behind their end', bytes(field('NM', 0, 'a'), field('ST'), field('RE')), { name: 'a' }],
    ['a field that is shorter than its header', bytes(field('NM', 0, 'a'), 'RE', 3, 1, field('RE')), { name: 'a' }],
    ['a field that is longer than the record', bytes(field('NM', 0, 'a'), 'NM', 7, 1, 0, 'b'), { name: 'a' }],
    ['a field that ends the record', bytes(field('NM', 0, 'a'), 'NM', 6, 1, 0, 'b'), { name: 'ab' }],
    ['less than a header', bytes(field('NM', 0, 'a'), 'RE', 4), { name: 'a' }],
  ] as [string, Buffer, Partial<RockRidge>][]) {
    it(`reads ${what}`, async () => {
      expect(await read(area)).to.deep.equal({ ...NOTHING, ...found })
    })
  }

  describe('where the fields continue elsewhere', () => {
    const blocks = Buffer.alloc(3 * BLOCK)
    const last = field('NM', 0, 'ed')
    const middle = bytes(goesOnAt(1, 0, last.length), field('NM', 1, 'nu'))
    last.copy(blocks, BLOCK)
    middle.copy(blocks, 2 * BLOCK + 100)

    it('reads them in their order', async () => {
      const area = bytes(goesOnAt(2, 100, middle.length), field('NM', 1, 'conti'))
      expect(await read(area, blocks)).to.deep.equal({ ...NOTHING, name: 'continued' })
    })

    it('goes on there after their end here', async () => {
      const area = bytes(field('NM', 1, 'conti'), goesOnAt(2, 100, middle.length), field('ST'), field('RE'))
      expect(await read(area, blocks)).to.deep.equal({ ...NOTHING, name: 'continued' })
    })

    it('reads no more than is said to be there, and no more than a block', async () => {
      const area = bytes(field('NM', 1, 'a'), goesOnAt(1, 0, last.length - 1))
      expect(await read(area, blocks)).to.deep.equal({ ...NOTHING, name: 'a' })
      const long = bytes(field('NM', 1, 'a'), goesOnAt(1, 0, 0xffff_ffff))
      expect(await read(long, blocks.subarray(0, 2 * BLOCK))).to.deep.equal({ ...NOTHING, name: 'aed' })
    })

    it('goes nowhere by a field that is cut off', async () => {
      const area = bytes(field('CE', both(1), both(0), both(last.length).subarray(0, 7)), field('NM', 0, 'a'))
      expect(await read(area, blocks)).to.deep.equal({ ...NOTHING, name: 'a' })
    })

    it('refuses what is behind the end of the file', async () => {
      const error = await read(goesOnAt(2, 100, BLOCK), blocks).catch((error) => error)
      expect(error).to.include({ code: 'EBADMSG', offset: 77 })
      expect(error.message).to.equal('x.iso: truncated: the archive ends within a directory record (at byte 77)')
    })

    it('follows 256 of them, and refuses more', async () => {
      const many = Buffer.alloc(258 * BLOCK)
      for (let block = 0; block < 257; block++) goesOnAt(block + 1, 0, 40).copy(many, block * BLOCK)
      const reading = (first: number) => read(goesOnAt(first, 0, 40), many).catch((error) => error)
      // The last is that of the block with the highest number, in which nothing continues.
      expect(await reading(258 - 256)).to.deep.equal(NOTHING)
      expect(await reading(258 - 257)).to.include({ code: 'EBADMSG', offset: 77 })
    })
  })
})
