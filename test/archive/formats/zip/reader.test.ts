/** Zips whose directory does not say what is in them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { expect } from 'chai'
import { ArchiveError } from '../../../../src/archive/index.ts'
import {
  failure,
  makeTree,
  readMembers,
  type Said,
  said,
  saidOfTree,
  shell,
  type Tree,
} from '../../../support/archives.ts'
import { fixture, scratch } from '../../../support/fixtures.ts'
import { has } from '../../../support/processes.ts'
import { writeTree } from '../../../support/write-archive.ts'

const TREE: Tree = { 'a/b': 'content '.repeat(50), 'a/c': 'x', empty: '', link: { to: 'a/b' }, né: 'unicode' }

interface Entry {
  name: string
  offset: number
  packed: number
  size: number
  crc: number
  method: number
  /** Further fields of its entry in the directory. */
  extra?: Buffer
  /** That of the member, where its entry says that it was made on Unix. */
  mode?: number
}

/** A header before content, and the content. */
function local({ name, packed, size, crc, method }: Omit<Entry, 'offset'>, data: Buffer, extra = ''): Buffer {
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(method, 8)
  header.writeUInt32LE(crc, 14)
  header.writeUInt32LE(packed, 18)
  header.writeUInt32LE(size, 22)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, Buffer.from(name), Buffer.from(extra), data])
}

function central({ name, offset, packed, size, crc, method, extra = Buffer.alloc(0), mode }: Entry): Buffer {
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(method, 10)
  header.writeUInt32LE(crc, 16)
  header.writeUInt32LE(packed, 20)
  header.writeUInt32LE(size, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(extra.length, 30)
  header.writeUInt32LE(offset, 42)
  if (mode !== undefined) {
    header.writeUInt8(3, 5)
    header.writeUInt32LE(mode * 2 ** 16, 38)
  }
  return Buffer.concat([header, Buffer.from(name), extra])
}

function zip(contents: Buffer, entries: readonly Entry[], directoryAt = contents.length): Buffer {
  const directory = Buffer.concat(entries.map(central))
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(directoryAt, 16)
  return Buffer.concat([contents, directory, end])
}

const stored = (name: string, data: Buffer) => ({
  name,
  packed: data.length,
  size: data.length,
  crc: crc32(data),
  method: 0,
})

async function refused(bytes: Buffer): Promise<ArchiveError> {
  const file = join(scratch(), 'x.zip')
  writeFileSync(file, bytes)
  const error = await failure(file)
  expect(error).to.be.instanceOf(ArchiveError)
  return error as ArchiveError
}

async function isReadAlike(bytes: Buffer, all: readonly Said[]): Promise<boolean> {
  const file = join(scratch(), 'x.zip')
  writeFileSync(file, bytes)
  const found = await readMembers(file).catch(() => [])
  return JSON.stringify(said(found)) === JSON.stringify(all)
}

const WRITERS: readonly [what: string, tool: string, write: (dir: string) => Promise<unknown>][] = [
  ['ours', 'sh', (dir) => writeTree(join(dir, 'x.zip'), TREE, {}, { 'a/c': { 'FLUX.components': '["a","c"]' } })],
  ['flux dump', 'sh', async (dir) => shell(`cp '${fixture('archives', 'snapshot.zip')}' x.zip`, dir)],
  ['Info-ZIP', 'zip', async (dir) => shell('cd t; zip -qry ../x.zip .', dir)],
  ['Info-ZIP with Zip64', 'zip', async (dir) => shell('cd t; zip -fz -qry ../x.zip .', dir)],
  ['Info-ZIP to a pipe', 'zip', async (dir) => shell('cd t; zip -qry - . | cat > ../x.zip', dir)],
  ['bsdtar', 'bsdtar', async (dir) => shell('bsdtar -C t -cf x.zip --format=zip .', dir)],
  ['7z', '7z', async (dir) => shell('cd t; 7z a ../x.zip . > /dev/null', dir)],
  ['Python', 'python3', async (dir) => shell('cd t; python3 -m zipfile -c ../x.zip .', dir)],
]

/** Where the entries of a directory begin. */
function entriesOf(bytes: Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf('PK\x01\x02', 0, 'latin1'); bytes.readUInt32LE(at) === 0x02014b50; ) {
    found.push(at)
    at += 46 + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return found
}

describe('archive/formats/zip/reader', () => {
  for (const [what, tool, write] of WRITERS) {
    it(`refuses a directory that names, sizes or packs a member otherwise than its own header: ${what}`, async function () {
      if (!has(tool)) this.skip()
      const dir = scratch()
      makeTree(join(dir, 't'), TREE)
      await write(dir)
      const whole = readFileSync(join(dir, 'x.zip'))
      const all = said(await readMembers(join(dir, 'x.zip')))
      for (const entry of entriesOf(whole)) {
        const nameBytes = whole.readUInt16LE(entry + 28)
        // The method, the checksum, both sizes, the length of the name, where its header is; and the name.
        const places = [10, 11, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 42, 43, 44, 45]
        for (let i = 0; i < nameBytes; i++) places.push(46 + i)
        for (const place of places) {
          const damaged = Buffer.from(whole)
          damaged[entry + place] = (damaged[entry + place] as number) ^ 0x01
          // A packed size that is too long by a little, and follows the content: what is inflated is right all the same.
          if (place === 20 && (await isReadAlike(damaged, all))) continue
          const { code, message } = await refused(damaged)
          expect(code, `${entry} + ${place}: ${message}`).to.be.oneOf(['EBADMSG', 'EILSEQ', 'ENOTSUP', 'EINVAL'])
        }
      }
    })
  }

  it('says both names, both sizes, both checksums', async () => {
    const data = Buffer.from('data')
    const header = stored('job/a', data)
    const contents = local(header, data)
    const differing = async (change: Partial<Entry>) => {
      const { message, code } = await refused(zip(contents, [{ ...header, offset: 0, ...change }]))
      expect(code).to.equal('EBADMSG')
      return message.replace(/^.*x\.zip: /, '')
    }
    expect(await differing({ name: 'job/b' })).to.equal(
      'job/b: damaged: the name is job/a in its own header, but job/b in the directory at the end (at byte 0)',
    )
    // It would not be read at all, as a directory.
    expect(await differing({ name: 'job//' })).to.contain('the name is job/a in its own header, but job//')
    expect(await differing({ size: 5 })).to.contain('the size is 4 in its own header, but 5 in the directory')
    expect(await differing({ crc: 10 })).to.contain('the checksum is adf3f363 in its own header, but 0000000a in')
    expect(await differing({ method: 8 })).to.contain('the method is 0 in its own header, but 8 in the directory')
  })

  describe('whose header before a content has another', () => {
    const data = Buffer.from('data')
    const { crc } = stored('a', data)
    const [LARGE, NONE] = [0xffffffff, Buffer.alloc(0)]
    const field = (id: number, ...parts: Buffer[]) => {
      const content = Buffer.concat(parts)
      const header = Buffer.alloc(4)
      header.writeUInt16LE(id, 0)
      header.writeUInt16LE(content.length, 2)
      return Buffer.concat([header, content])
    }
    const u64 = (...values: number[]) => Buffer.from(BigUint64Array.from(values.map(BigInt)).buffer)
    const FL = (text: string) => field(0x4c46, Buffer.from(text))
    const records = '29 FLUX.components=["a","b"]\n'
    const up = (name: string, sum = 1) => field(0x7075, Buffer.from([1, sum, 0, 0, 0]), Buffer.from(name))

    interface Own {
      name?: string
      flags?: number
      method?: number
      packed?: number
      size?: number
      crc?: number
      extra?: Buffer
      listed?: Buffer
    }
    /** A zip of one member, whose two headers have fields as given. */
    async function read({ flags = 0, extra = NONE, listed = NONE, ...own }: Own): Promise<string> {
      const entry = { ...stored('a', data), ...own }
      const header = local(entry, data, '\0'.repeat(extra.length))
      extra.copy(header, 30 + entry.name.length)
      header.writeUInt16LE(flags, 6)
      const directory = central({ ...stored('a', data), offset: 0 })
      directory.writeUInt16LE(listed.length, 30)
      const end = Buffer.alloc(22)
      end.writeUInt32LE(0x06054b50, 0)
      end.writeUInt16LE(1, 10)
      end.writeUInt32LE(directory.length + listed.length, 12)
      end.writeUInt32LE(header.length, 16)
      const file = join(scratch(), 'x.zip')
      writeFileSync(file, Buffer.concat([header, directory, listed, end]))
      return readMembers(file).then(
        ([member]) => `${member?.content}`,
        (error: Error) => error.message.replace(/^.*x\.zip: (a: )?(damaged: )?| in the directory at the end.*$/g, ''),
      )
    }

    for (const [what, own, said] of [
      ['no difference', {}, 'data'],
      ['longer name', { name: 'ab' }, 'the name is ab in its own header, but a'],
      ['shorter name', { name: '' }, 'the name is  in its own header, but a'],
      ['flag of encryption', { flags: 1 }, 'the content is encrypted in its own header, but not'],
      ['method', { method: 8 }, 'the method is 8 in its own header, but 0'],
      ['size', { size: 5 }, 'the size is 5 in its own header, but 4'],
      ['packed size', { packed: 5 }, 'the packed size is 5 in its own header, but 4'],
      ['checksum', { crc: 1 }, 'the checksum is 00000001 in its own header, but adf3f363'],
      ['size of zero', { size: 0 }, 'the size is 0 in its own header, but 4'],
      ['packed size of zero', { packed: 0 }, 'the packed size is 0 in its own header, but 4'],
      ['checksum of zero', { crc: 0 }, 'the checksum is 00000000 in its own header, but adf3f363'],
      ['size of zero, where sizes follow', { size: 0, packed: 0, crc: 0, flags: 8 }, 'data'],
      ['size, where sizes follow', { size: 5, flags: 8 }, 'the size is 5 in its own header, but 4'],
      ['packed size, where sizes follow', { packed: 5, flags: 8 }, 'the packed size is 5 in its own header, but 4'],
      [
        'checksum, where sizes follow',
        { crc: 1, flags: 8 },
        'the checksum is 00000001 in its own header, but adf3f363',
      ],
      ['form of sizes', { size: LARGE, packed: LARGE, extra: field(1, u64(4, 4)) }, 'data'],
      ['size in Zip64', { size: LARGE, extra: field(1, u64(5, 4)) }, 'the size is 5 in its own header, but 4'],
      [
        'packed size in Zip64',
        { packed: LARGE, extra: field(1, u64(4, 6)) },
        'the packed size is 6 in its own header, but 4',
      ],
      [
        'Zip64 field that is too short',
        { packed: LARGE, extra: field(1, u64(4)) },
        'the packed size is 0 in its own header, but 4',
      ],
      [
        'field after others',
        { size: LARGE, extra: Buffer.concat([field(9), field(7, data), field(1, u64(5))]) },
        'the size is 5 in its own header, but 4',
      ],
      ['field that is cut off', { extra: Buffer.concat([field(7, data), Buffer.from([0x46, 0x4c, 9, 0])]) }, 'data'],
      ['form of sizes without Zip64', { packed: LARGE }, 'the packed size is 0 in its own header, but 4'],
      ['field without content', { extra: FL('') }, 'the key is  in its own header, but not there'],
      ['other field', { extra: Buffer.concat([up('é'), field(7, data)]), listed: up('é') }, 'data'],
      [
        'records',
        { extra: FL(records), listed: FL(records.replace('b', 'c')) },
        `the key is ${records.trim()} in its own header, but ${records.trim().replace('b', 'c')}`,
      ],
      ['same records', { extra: FL(records), listed: FL(records) }, 'data'],
      [
        'records that are not listed',
        { extra: FL(records) },
        `the key is ${records.trim()} in its own header, but not there`,
      ],
      ['no records', { listed: FL(records) }, `the key is not there in its own header, but ${records.trim()}`],
      ['name in Unicode', { extra: up('é'), listed: up('è') }, 'the name is é in its own header, but è'],
      ['name in Unicode only there', { extra: up('é') }, 'data'],
      ['name in Unicode only in the directory', { listed: up('é') }, 'data'],
    ] as [string, Own, string][]) {
      it(`is compared in each field: ${what}`, async () => {
        expect(await read({ crc, ...own })).to.equal(said)
      })
    }
  })

  it('refuses a directory of more entries, or fewer, than its end says', async () => {
    for (const change of [-1, 1]) {
      const whole = readFileSync(fixture('archives', 'snapshot.zip'))
      const end = whole.lastIndexOf('PK\x05\x06', undefined, 'latin1')
      whole.writeUInt16LE(whole.readUInt16LE(end + 10) + change, end + 10)
      const { code, message } = await refused(whole)
      expect(code).to.equal('EBADMSG')
      expect(message).to.match(
        change < 0
          ? /x\.zip: damaged: the directory goes on after its \d+ entries \(at byte \d+\)$/
          : /x\.zip: truncated: the archive ends within the directory \(at byte \d+\)$/,
      )
    }
  })

  it('reads a directory with a signature behind its entries, and refuses any other bytes there', async () => {
    const data = Buffer.from('data')
    const header = stored('a', data)
    const contents = local(header, data)
    const withMore = (more: Buffer) => {
      const whole = zip(contents, [{ ...header, offset: 0 }])
      const bytes = Buffer.concat([whole.subarray(0, -22), more, whole.subarray(-22)])
      bytes.writeUInt32LE(47 + more.length, bytes.length - 10)
      return bytes
    }
    const file = join(scratch(), 'x.zip')
    for (const more of ['', 'PK\x05\x05', 'PK\x05\x05\x04\0sign']) {
      writeFileSync(file, withMore(Buffer.from(more, 'latin1')))
      expect((await readMembers(file)).map(({ path }) => path)).to.deep.equal(['a'])
    }
    for (const more of ['x', 'PK\x05', 'more', 'more and more']) {
      const { code, message } = await refused(withMore(Buffer.from(more, 'latin1')))
      expect(code).to.equal('EBADMSG')
      expect(message.replace(/^.*x\.zip: /, '')).to.equal(
        'damaged: the directory goes on after its 1 entries (at byte 82)',
      )
    }
  })

  const data = Buffer.from('data')
  const header = stored('a', data)
  const contents = local(header, data)
  const deflated = deflateRawSync(data)
  const one = (change: Partial<Entry> = {}) => zip(contents, [{ ...header, offset: 0, ...change }])
  /** A member whose own header says the same as the directory. */
  const both = (change: Partial<Entry>, content: Buffer = data) => {
    const changed = { ...header, ...change }
    return zip(local(changed, content), [{ ...changed, offset: 0 }])
  }
  const WITH_LOCATOR = Buffer.concat([one().subarray(0, -22), Buffer.alloc(20), one().subarray(-22)])
  WITH_LOCATOR.writeUInt32LE(0x07064b50, WITH_LOCATOR.length - 42)
  const ENCRYPTED = one()
  ENCRYPTED[6] = 1
  const OF_SEVERAL = one()
  OF_SEVERAL.writeUInt16LE(1, OF_SEVERAL.length - 18)
  for (const [what, bytes, code, message] of [
    [
      'one part of several',
      OF_SEVERAL,
      'ENOTSUP',
      'is one part of a zip in several, which is not supported (at byte 82)',
    ],
    [
      'a zip without its end',
      one().subarray(0, -22),
      'EBADMSG',
      'truncated: the directory that ends a zip is missing (at byte 82)',
    ],
    ['a header elsewhere', one({ offset: 1 }), 'EBADMSG', 'a: damaged: no header where the directory says (at byte 1)'],
    [
      'another packed size',
      one({ packed: 5 }),
      'EBADMSG',
      'a: damaged: the packed size is 4 in its own header, but 5 in the directory at the end (at byte 0)',
    ],
    [
      'content that is said to be encrypted',
      ENCRYPTED,
      'EBADMSG',
      'a: damaged: the content is encrypted in its own header, but not in the directory at the end (at byte 0)',
    ],
    [
      'a directory behind the end',
      zip(contents, [{ ...header, offset: 0 }], 10_000),
      'EBADMSG',
      'damaged: the directory at the end does not fit into the file (at byte 82)',
    ],
    [
      'a directory that is none',
      zip(contents, [{ ...header, offset: 0 }], 0),
      'EBADMSG',
      'damaged: no directory entry where one should be (at byte 0)',
    ],
    [
      'a Zip64 end that is elsewhere',
      WITH_LOCATOR,
      'EBADMSG',
      'damaged: the Zip64 directory end is not where it should be (at byte 0)',
    ],
    [
      'a Zip64 field that lacks a size',
      one({ size: 0xffff_ffff, extra: Buffer.from([1, 0, 4, 0, 0, 0, 0, 0]) }),
      'EBADMSG',
      'a: damaged: a Zip64 field is too short (at byte 35)',
    ],
    ['two sizes, not compressed', both({ size: 5 }), 'EBADMSG', 'a: damaged: 5 bytes are stored in 4 (at byte 0)'],
    [
      'a size that is too large',
      both({ method: 8, packed: deflated.length, size: 5 }, deflated),
      'EBADMSG',
      'a: damaged: 5 bytes declared, 4 found (at byte 0)',
    ],
    ['another checksum', both({ crc: 10 }), 'EBADMSG', 'a: damaged: its checksum does not match (at byte 0)'],
    ['no name', both({ name: '.' }), 'EINVAL', '.: a member without a name (at byte 35)'],
    [
      'a NUL in the target of a link',
      both({ mode: 0o120777, crc: crc32(Buffer.from('a\0b')), size: 3, packed: 3 }, Buffer.from('a\0b')),
      'EINVAL',
      'a: the link target holds a NUL (at byte 0)',
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await refused(bytes)
      expect(error.code).to.equal(code)
      expect(error.message.replace(/^.*x\.zip: /, '')).to.equal(message)
    })
  }

  describe('whose members overlap', () => {
    const inner = Buffer.from('inner')
    const inside = stored('b', inner)
    const quoted = local(inside, inner)
    const outside = stored('a', quoted)
    const contents = local(outside, quoted)
    const a: Entry = { ...outside, offset: 0 }
    const b: Entry = { ...inside, offset: contents.indexOf('PK\x03\x04', 4, 'latin1') }

    it('is refused where one has its header within the other, in whichever order they are listed', async () => {
      for (const entries of [
        [a, b],
        [b, a],
      ]) {
        const { code, message } = await refused(zip(contents, entries))
        expect(code).to.equal('EBADMSG')
        // The later one in the file is named by the first list, the earlier one by the second.
        const overlapping =
          entries[0] === a
            ? 'b: damaged: it overlaps the member before, a (at byte 31)'
            : 'a: damaged: its content overlaps that of the member at byte 31 (at byte 0)'
        expect(message.replace(/^.*x\.zip: /, '')).to.equal(overlapping)
      }
    })

    it('is refused where only the extra field of a header reaches over another member, whatever their order', async () => {
      const second = local(inside, inner)
      const first = { ...stored('a', Buffer.alloc(0)) }
      const third = local({ ...inside, name: 'c' }, inner)
      const bytes = Buffer.concat([local(first, second, '').subarray(0, 31), second, third])
      // A header of a, whose extra field takes in all of b.
      bytes.writeUInt16LE(second.length, 28)
      const entries = [
        { ...first, offset: 0 },
        { ...inside, offset: 31 },
        { ...inside, name: 'c', offset: 31 + second.length },
      ]
      for (const order of [entries, entries.toReversed(), [entries[2], entries[0], entries[1]]]) {
        const { message } = await refused(zip(bytes, order as Entry[]))
        expect(message).to.match(/overlaps/)
      }
    })

    it('is refused where several name one content, before any of it is read', async () => {
      // 20 kB of deflate that thousands of members have in common: 40 GB.
      const zeros = Buffer.alloc(20 << 20)
      const data = deflateRawSync(zeros, { level: 9 })
      const header = { name: 'a', packed: data.length, size: zeros.length, crc: crc32(zeros), method: 8 }
      const entries = Array.from({ length: 2000 }, () => ({ ...header, offset: 0 }))
      const error = await refused(zip(local(header, data), entries))
      expect(error).to.include({ code: 'EBADMSG', offset: 0 })
      expect(error.message).to.match(/x\.zip: damaged: two members have one content \(at byte 0\)$/)
    })

    it('is refused where two name one content, and there are no others', async () => {
      const error = await refused(
        zip(
          quoted,
          [inside, { ...inside, name: 'b' }].map((of) => ({ ...of, offset: 0 })),
        ),
      )
      expect(error).to.include({ code: 'EBADMSG', offset: 0 })
      expect(error.message).to.match(/x\.zip: damaged: two members have one content \(at byte 0\)$/)
    })

    it('is refused where the last reaches into the directory', async () => {
      const { code, message } = await refused(zip(quoted, [{ ...inside, offset: 0 }], quoted.length - 2))
      expect(code).to.equal('EBADMSG')
      expect(message).to.match(/overlaps the directory|directory/)
      const long = { ...inside, packed: 20, size: 20, offset: 0 }
      const reaching = await refused(zip(local(long, inner), [long]))
      expect(reaching.message).to.match(
        /x\.zip: b: damaged: its content overlaps the directory at the end \(at byte 0\)$/,
      )
    })
  })

  it('reads members that are listed in another order than they lie in', async () => {
    const file = join(scratch(), 'x.zip')
    const tree = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, 'content '.repeat(n)]))
    const parts = Object.entries(tree).map(([name, text]) => {
      const header = stored(name, Buffer.from(text))
      return { header, bytes: local(header, Buffer.from(text)) }
    })
    let offset = 0
    const entries = parts.map(({ header, bytes }) => {
      offset += bytes.length
      return { ...header, offset: offset - bytes.length }
    })
    entries.sort((one, other) => (one.crc % 1009) - (other.crc % 1009))
    writeFileSync(file, zip(Buffer.concat(parts.map(({ bytes }) => bytes)), entries))
    expect(said(await readMembers(file))).to.deep.equal(saidOfTree(tree))
  })
})
