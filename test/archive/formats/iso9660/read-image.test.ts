/** Directories of ISO 9660, record by record, as other writers may put them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Directory, ImageReader } from '../../../../src/archive/formats/iso9660/read-image.ts'
import { Reading } from '../../../../src/archive/member.ts'
import { Source } from '../../../../src/archive/source.ts'
import { scratch } from '../../../support/fixtures.ts'

const BLOCK = 2048

interface Given {
  name?: string
  block?: number
  bytes?: number
  flags?: number
  /** Sectors of extended attributes before the content. */
  attributes?: number
  interleaved?: number
  use?: string
}

/** A directory record (ECMA-119 9.1). */
function record({
  name = 'A.;1',
  block = 20,
  bytes = 5,
  flags = 0,
  attributes = 0,
  interleaved = 0,
  use = '',
}: Given): Buffer {
  const identifier = Buffer.from(name, 'latin1')
  const padding = identifier.length % 2 === 0 ? '\0' : ''
  const header = Buffer.alloc(33)
  const rest = Buffer.concat([identifier, Buffer.from(padding + use, 'latin1')])
  header[0] = header.length + rest.length
  header[1] = attributes
  header.writeUInt32LE(block, 2)
  header.writeUInt32LE(bytes, 10)
  header[25] = flags
  header[26] = interleaved
  header[32] = identifier.length
  return Buffer.concat([header, rest])
}

/** Use a reader of an image whose blocks are given, from the first on. */
async function withImage<Result>(blocks: Buffer, use: (image: ImageReader) => Promise<Result>): Promise<Result> {
  const file = join(scratch(), 'x.iso')
  writeFileSync(file, blocks)
  await using source = await Source.open(file)
  return await use(new ImageReader(source, new Reading('x.iso', 'iso9660')))
}

/** What is in a directory: names, extents and offsets. Or what is wrong, and where. */
function list(
  records: readonly Buffer[],
  change: { names?: ImageReader['names']; skip?: number; directory?: Partial<Directory> } = {},
): Promise<unknown> {
  const bytes = Buffer.concat(records)
  return withImage(Buffer.concat([Buffer.alloc(BLOCK), bytes]), async (image) => {
    image.names = change.names ?? 'plain'
    image.skip = change.skip ?? 0
    const found: unknown[] = []
    try {
      for await (const each of image.records({ path: 'd', block: 1, bytes: bytes.length, ...change.directory }))
        found.push([image.name(each), each.extents.map(({ block, bytes }) => [block, bytes]), each.offset - BLOCK])
      return found
    } catch (error) {
      const { code, message } = error as { code: string; message: string }
      return `${code} ${message}`
    }
  })
}

/** The end of a block, without records. */
const fill = (...records: Buffer[]) => Buffer.alloc(BLOCK - Buffer.concat(records).length)

describe('archive/formats/iso9660/read-image', () => {
  it('reads the records of a directory, over its blocks, without itself and its parent', async () => {
    const first = [record({ name: '\0' }), record({ name: '\x01' }), record({ name: 'A.;1' }), record({ name: '\x02' })]
    const second = record({ name: 'B.TXT;12', block: 70_000, bytes: 80_000 })
    expect(await list([...first, fill(...first), second])).to.deep.equal([
      ['A', [[20, 5]], 68],
      ['\x02', [[20, 5]], 106],
      ['B.TXT', [[70_000, 80_000]], BLOCK],
    ])
    expect(await list([...first.slice(0, 2), fill(...first.slice(0, 2)), second, fill(second)])).to.deep.equal([
      ['B.TXT', [[70_000, 80_000]], BLOCK],
    ])
  })

  it('joins the extents of a file, behind their attributes, and leaves out associated files', async () => {
    expect(
      await list([
        record({ name: 'A', flags: 0x80, block: 20, bytes: 2048, attributes: 2 }),
        record({ name: 'A', flags: 0x80, block: 30, bytes: 4096 }),
        record({ name: 'X', flags: 0x04, block: 90 }),
        record({ name: 'A', block: 40, bytes: 7 }),
        record({ name: 'B', block: 50 }),
      ]),
    ).to.deep.equal([
      [
        'A',
        [
          [22, 2048],
          [30, 4096],
          [40, 7],
        ],
        34 * 3,
      ],
      ['B', [[50, 5]], 34 * 4],
    ])
  })

  it('gives names without their versions, at their end only', async () => {
    const names = async (names: ImageReader['names'], ...given: string[]) =>
      (
        (await list(
          given.map((name) => record({ name })),
          { names },
        )) as [string][]
      ).map(([name]) => name)
    expect(await names('plain', 'A.;1', 'A.B;123', 'A;1;B', 'A;', 'A.', 'A;1B')).to.deep.equal([
      ...['A', 'A.B', 'A;1;B', 'A;', 'A.', 'A;1B'],
    ])
    expect(await names('joliet', '\0a\0;\x001\x002', '\0a\0;\x001\0b', '\0a\0.', '\0\xe9x')).to.deep.equal([
      ...['a', 'a;1b', 'a.', '\xe9'],
    ])
    expect(await names('rock-ridge', 'A.;1')).to.deep.equal(['A'])
  })

  it('takes names of Rock Ridge, behind the padding and what is to be skipped', async () => {
    const NM = (name: string) => `NM${String.fromCharCode(5 + name.length)}\x01\0${name}`
    const records = (skipped: string) => [
      record({ name: 'AB', use: skipped + NM('even') }),
      record({ name: 'A', use: skipped + NM('odd') }),
    ]
    const names = (found: unknown) => (found as [string][]).map(([name]) => name)
    expect(names(await list(records(''), { names: 'rock-ridge' }))).to.deep.equal(['even', 'odd'])
    expect(names(await list(records('12345'), { names: 'rock-ridge', skip: 5 }))).to.deep.equal(['even', 'odd'])
    expect(names(await list(records(''), { names: 'plain' }))).to.deep.equal(['AB', 'A'])
  })

  it('refuses a record that does not fit', async () => {
    const whole = record({ name: 'ABC' })
    const at = (offset: number) =>
      `EBADMSG x.iso: d: damaged: a directory record that does not fit (at byte ${BLOCK + offset})`
    const changed = (place: number, value: number) => {
      const other = Buffer.from(whole)
      other[place] = value
      return other
    }
    expect(await list([whole])).to.deep.equal([['ABC', [[20, 5]], 0]])
    expect(await list([whole, changed(0, 37)])).to.equal(at(36))
    expect(await list([whole, changed(0, 33), whole])).to.equal(at(36))
    expect(await list([whole, changed(0, 20).subarray(0, 20), whole])).to.equal(at(36))
    expect(await list([whole, changed(32, 4)])).to.equal(at(36))
    expect(await list([changed(32, 200), whole])).to.equal(at(0))
    // Room for a name, of which there is none.
    expect(await list([changed(0, 34).fill(0, 32, 33).subarray(0, 34)])).to.deep.equal([['', [[20, 5]], 0]])
  })

  it('refuses files that are interleaved, and directories that are cut off or too large', async () => {
    expect(await list([record({ interleaved: 1 })])).to.equal(
      `ENOTSUP x.iso: an interleaved file, which is not supported (at byte ${BLOCK})`,
    )
    expect(await list([record({})], { directory: { bytes: 100 } })).to.equal(
      `EBADMSG x.iso: d: truncated: the archive ends within a directory (at byte ${BLOCK})`,
    )
    const most = 128 << 20
    expect(await list([record({})], { directory: { bytes: most + 1 } })).to.equal(
      `EOVERFLOW x.iso: d: a directory of ${most + 1} bytes: at most ${most} are read (at byte ${BLOCK})`,
    )
  })

  it('takes the size of a moved directory from its own first record', async () => {
    const blocks = Buffer.alloc(3 * BLOCK)
    record({ name: '\0', bytes: 6144 }).copy(blocks, 2 * BLOCK)
    await withImage(blocks, async (image) => {
      expect(await image.relocated(2)).to.deep.equal({ block: 2, bytes: 6144 })
      for (const block of [1, 3]) {
        const error = await image.relocated(block).catch((error) => error)
        expect(error).to.include({ code: 'EBADMSG', offset: block * BLOCK })
        expect(error.message).to.equal(`x.iso: damaged: no directory where one should be (at byte ${block * BLOCK})`)
      }
    })
  })

  describe('the descriptors', () => {
    function descriptor(type: number, { escapes = '', root = 0, blockBytes = BLOCK, use = '' } = {}): Buffer {
      const bytes = Buffer.alloc(BLOCK)
      bytes[0] = type
      bytes.write('CD001\x01', 1, 'latin1')
      bytes.write(escapes, 88, 'latin1')
      bytes.writeUInt16LE(blockBytes, 128)
      record({ name: '\0', block: root, bytes: BLOCK }).copy(bytes, 156)
      bytes.write(use, 883, 'latin1')
      return bytes
    }
    /** Open an image of descriptors, behind which is an empty root directory. */
    const open = (...descriptors: Buffer[]) => {
      const root = record({ name: '\0' })
      const blocks = [Buffer.alloc(16 * BLOCK), ...descriptors, Buffer.concat([root, fill(root)])]
      return withImage(Buffer.concat(blocks), (image) =>
        image.open().then(
          () => ({ names: image.names, root: image.root, skip: image.skip }),
          (error) => error.message,
        ),
      )
    }
    const END = descriptor(255)

    it('give the root, of Joliet where that is there, and of the first of each kind', async () => {
      const plain = { names: 'plain', root: { block: 18, bytes: BLOCK }, skip: 0 }
      expect(await open(descriptor(1, { root: 18 }), END)).to.deep.equal(plain)
      const joliet = descriptor(2, { escapes: '%/E', root: 70 })
      expect(await open(descriptor(1, { root: 19 }), joliet, END)).to.deep.equal({
        ...plain,
        names: 'joliet',
        root: { block: 70, bytes: BLOCK },
      })
      const others = [
        descriptor(2, { escapes: '%/G', root: 70 }),
        descriptor(3, { escapes: '%/E', root: 70 }),
        descriptor(0),
      ]
      const root = { block: 21, bytes: BLOCK }
      expect(await open(descriptor(1, { root: 21 }), ...others, END)).to.deep.equal({ ...plain, root })
      expect(await open(descriptor(1, { root: 19 }), descriptor(1, { root: 90 }), END)).to.deep.equal({
        ...plain,
        root: { block: 19, bytes: BLOCK },
      })
    })

    it('have records of the image as a whole in the field for applications', async () => {
      const root = record({ name: '\0' })
      const use = descriptor(1, { root: 18, use: 'FLUX.sequence=5\n' })
      const records = await withImage(
        Buffer.concat([Buffer.alloc(16 * BLOCK), use, END, root, fill(root)]),
        async (image) => {
          await image.open()
          return { ...image.reading.records }
        },
      )
      expect(records).to.deep.equal({ 'FLUX.sequence': '5' })
    })

    it('are 65 at most, and end with one that says so', async () => {
      const many = (count: number) => Array.from({ length: count }, () => descriptor(0))
      expect(await open(descriptor(1, { root: 81 }), ...many(63), END)).to.include({ names: 'plain' })
      const message = `x.iso: damaged: no volume descriptor where one should be (at byte ${(16 + 65) * BLOCK})`
      expect(await open(descriptor(1, { root: 82 }), ...many(64), END)).to.equal(message)
      const cut = await withImage(
        Buffer.concat([Buffer.alloc(16 * BLOCK), descriptor(1), END.subarray(0, -1)]),
        (image) => image.open().catch((error) => error),
      )
      expect(cut.message).to.equal(`x.iso: truncated: the archive ends within its descriptors (at byte ${17 * BLOCK})`)
    })
  })
})
