import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { ArchiveError, openArchive } from '../../../src/archive/index.ts'
import { failure, type Held, makeTree, readMembers, shell } from '../../support/archives.ts'
import { fixture, scratch } from '../../support/fixtures.ts'
import { has, run } from '../../support/processes.ts'

/** A tar of one member, with fields as given and a checksum that fits. */
function tar(
  fields: { name?: string | Buffer; type?: string; size?: number | string; link?: string },
  content = '',
): Buffer {
  const data = Buffer.from(content)
  const header = Buffer.alloc(512)
  const { name = 'a', type = '0', size = data.length, link = '' } = fields
  Buffer.from(name).copy(header, 0)
  header.write(`0000644\0${'0000000\0'.repeat(2)}`, 100)
  header.write(typeof size === 'string' ? size : size.toString(8).padStart(11, '0'), 124, 'latin1')
  header.write('00000000000\0        ', 136)
  header.write(`${type}${link}`, 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, data, Buffer.alloc(-data.length & 511)])
}

function record(keyword: string, value: string): string {
  const rest = Buffer.byteLength(` ${keyword}=${value}\n`)
  let length = rest + 1
  while (String(length).length + rest !== length) length = String(length).length + rest
  return `${length} ${keyword}=${value}\n`
}

const END = Buffer.alloc(1024)

/** What reads an archive, and says how many bytes were in it, and how much memory it took at most. */
// The most memory that it took; what the system counts for a child begins with what its parent had.
const BOMB = `
const { readFileSync } = await import('node:fs')
const { openArchive } = await import(process.argv[1])
const archive = await openArchive(process.argv[2])
let bytes = 0
for await (const batch of archive.batches())
  for (const { stream } of batch) if (stream) for await (const chunk of stream()) bytes += chunk.length
const [, kilobytes] = /^VmHWM:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))
console.log(JSON.stringify({ bytes, kilobytes: Number(kilobytes) }))`

async function read(bytes: Buffer): Promise<Held[]> {
  const file = join(scratch(), 'x')
  writeFileSync(file, bytes)
  return readMembers(file)
}

async function refused(bytes: Buffer): Promise<ArchiveError> {
  const file = join(scratch(), 'x')
  writeFileSync(file, bytes)
  const error = await failure(file)
  expect(error).to.be.instanceOf(ArchiveError)
  expect((error as ArchiveError).message)
    .to.include(file)
    .and.not.include('\n')
  return error as ArchiveError
}

/** What a message says after the name of the archive. */
function afterName({ message }: ArchiveError): string {
  return message.slice(message.indexOf('/x: ') + '/x: '.length)
}

/** Small archives of each kind, to be cut off and damaged. */
const KINDS: Record<string, () => Buffer> = {
  tar: () => readFileSync(fixture('archives', 'snapshot.tar')),
  'tar.gz': () => readFileSync(fixture('archives', 'snapshot.tgz')),
  'tar.bz2': () => readFileSync(fixture('archives', 'snapshot.tar.bz2')),
  'tar.xz': () => readFileSync(fixture('archives', 'snapshot.tar.xz')),
  'tar.zst': () => shell(`zstd -qc '${fixture('archives', 'snapshot.tar')}'`, '/'),
  cpio: () => readFileSync(fixture('archives-cpio', 'snapshot.cpio')),
  'cpio newc': () => {
    const dir = scratch()
    makeTree(join(dir, 't'), { a: 'x'.repeat(300), 'b/c': { to: 'a' } })
    return shell('cd t; find . | cpio -o -H newc 2>/dev/null', dir)
  },
  zip: () => readFileSync(fixture('archives', 'snapshot.zip')),
  iso: () => {
    const dir = scratch()
    makeTree(join(dir, 't'), { a: 'x'.repeat(300), 'b/c': { to: 'a' } })
    shell('genisoimage -quiet -R -J -no-pad -o x t 2>/dev/null', dir)
    return readFileSync(join(dir, 'x'))
  },
}
const TOOLS: Record<string, string> = { 'tar.zst': 'zstd', 'cpio newc': 'cpio', iso: 'genisoimage' }
/** Where each byte costs a thread, or there are very many: only so many places are tried. */
const STEPS: Record<string, number> = {
  tar: 37,
  'tar.gz': 3,
  'tar.zst': 3,
  'tar.bz2': 41,
  'tar.xz': 41,
  cpio: 3,
  'cpio newc': 3,
  zip: 3,
  iso: 1511,
}
/** Up to this length an image is nothing but zeros, just as a tar without members is. */
const STARTS: Record<string, number> = { iso: 10_241 }

describe('archive/formats/bad-input', () => {
  for (const [kind, make] of Object.entries(KINDS)) {
    it(`is refused wherever it is cut off: ${kind}`, async function () {
      if (!has(TOOLS[kind] ?? 'sh')) this.skip()
      const whole = make()
      const all = (await read(whole)).length
      const file = join(scratch(), 'x')
      for (let length = STARTS[kind] ?? 0; length < whole.length; length += STEPS[kind] ?? 1) {
        writeFileSync(file, whole.subarray(0, length))
        let error: unknown
        let members = 0
        try {
          members = (await readMembers(file)).length
        } catch (thrown) {
          error = thrown
        }
        if (error !== undefined) expect(error, `${length}`).to.be.instanceOf(ArchiveError)
        // Only what comes after the last content may be missing: the second block of zeros, padding, the end of an image.
        else expect(members, `${length}`).to.equal(all)
      }
    })

    it(`is read or refused, but nothing else happens, whichever bytes are changed: ${kind}`, async function () {
      if (!has(TOOLS[kind] ?? 'sh')) this.skip()
      const whole = make()
      const file = join(scratch(), 'x')
      const change = fc.tuple(fc.nat(Math.min(whole.length - 1, 70_000)), fc.nat(255))
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const damaged = Buffer.from(whole)
          for (const [at, byte] of changes) damaged[at] = byte
          writeFileSync(file, damaged)
          const error = await failure(file)
          if (error !== undefined) expect(error).to.be.instanceOf(ArchiveError)
        }),
        { numRuns: kind === 'tar.xz' || kind === 'tar.bz2' ? 15 : 100 },
      )
    })
  }

  for (const [what, bytes, code, message] of [
    ["a path with '..'", tar({ name: 'a/../b' }), 'EINVAL', "a/../b: the path holds '..' (at byte 0)"],
    ["a path that is '..'", tar({ name: '..' }), 'EINVAL', "..: the path holds '..' (at byte 0)"],
    ['a path of nothing but slashes', tar({ name: '//' }, 'x'), 'EINVAL', '//: a member without a name (at byte 0)'],
    [
      "a hard link to a path with '..'",
      tar({ type: '1', link: '../b' }),
      'EINVAL',
      "../b: the path holds '..' (at byte 0)",
    ],
    [
      'a name that is not UTF-8',
      tar({ name: Buffer.from([0x61, 0xff]) }),
      'EILSEQ',
      'aÿ: the name is not UTF-8 (at byte 0)',
    ],
    [
      'a NUL in a path',
      Buffer.concat([tar({ type: 'x' }, record('path', 'a\0b')), tar({})]),
      'EINVAL',
      'a\\x00b: the path holds a NUL (at byte 0)',
    ],
    [
      'a NUL in a link target',
      Buffer.concat([tar({ type: 'x' }, record('linkpath', 'a\0b')), tar({ type: '2' })]),
      'EINVAL',
      'a: the link target holds a NUL (at byte 0)',
    ],
    ['a sparse file', tar({ type: 'S' }), 'ENOTSUP', 'a: is a sparse file, which is not supported (at byte 0)'],
    [
      'a sparse file, as pax has it',
      Buffer.concat([tar({ type: 'x' }, record('GNU.sparse.major', '1')), tar({})]),
      'ENOTSUP',
      'a: is a sparse file, which is not supported (at byte 0)',
    ],
    [
      'a volume of several',
      tar({ type: 'M' }),
      'ENOTSUP',
      'a: continues a file of another volume, which is not supported (at byte 0)',
    ],
    ['a type that nobody knows', tar({ type: 'Q' }), 'ENOTSUP', "a: is of type 'Q', which is not known (at byte 0)"],
    [
      'a pax header of 1 GB',
      tar({ type: 'x', size: 2 ** 30 }, 'a'),
      'EOVERFLOW',
      'a header of 1073741824 bytes: at most 1048576 are read (at byte 0)',
    ],
    [
      'headers of one member that come to more than 1 MiB',
      Buffer.concat([1, 2, 3].map((n) => tar({ type: 'x' }, record(`k${n}`, 'x'.repeat(400_000))))),
      'EOVERFLOW',
      'a header of 1200033 bytes: at most 1048576 are read (at byte 801792)',
    ],
    [
      'a long name of 8 GB',
      tar({ type: 'L', size: 2 ** 33 - 1 }, 'a'),
      'EOVERFLOW',
      'a header of 8589934591 bytes: at most 1048576 are read (at byte 0)',
    ],
    [
      'a size beyond all bounds',
      tar({ size: '\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' }),
      'EOVERFLOW',
      'the size is out of range (at byte 0)',
    ],
    [
      'a size that is negative',
      tar({ size: '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0' }),
      'EBADMSG',
      'a: damaged header: the size is negative (at byte 0)',
    ],
    [
      'a pax record that is cut off',
      Buffer.concat([tar({ type: 'x' }, '30 path=a\n'), tar({})]),
      'EBADMSG',
      'damaged pax header: a record is not well formed (at byte 512)',
    ],
    [
      'a pax record without a length',
      Buffer.concat([tar({ type: 'x' }, 'path=a\n'), tar({})]),
      'EBADMSG',
      'damaged pax header: a record is not well formed (at byte 512)',
    ],
    [
      'a pax size that is no number',
      Buffer.concat([tar({ type: 'x' }, record('size', '1e3')), tar({})]),
      'EBADMSG',
      'damaged pax header: size is not a number (at byte 512)',
    ],
    [
      'a pax header and no member',
      tar({ type: 'x' }, record('path', 'b')),
      'EBADMSG',
      'a pax or long name header without a member (at byte 1024)',
    ],
    [
      'an owner beyond all bounds',
      Buffer.concat([tar({ type: 'x' }, record('uid', '9'.repeat(30))), tar({})]),
      'EOVERFLOW',
      'the uid of a pax header is out of range (at byte 512)',
    ],
    [
      'names in an old GNU way',
      tar({ type: 'N' }),
      'ENOTSUP',
      'a: holds names in an old GNU way, which is not supported (at byte 0)',
    ],
    [
      'a header that is none',
      Buffer.concat([tar({}), Buffer.alloc(512, 1)]),
      'EBADMSG',
      'damaged header: its checksum does not match (at byte 512)',
    ],
    [
      'a size far beyond the data',
      tar({ size: 2 ** 33 - 1 }, 'short'),
      'EBADMSG',
      'a: truncated: 8589933055 bytes of the content are missing (at byte 2048)',
    ],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      const error = await refused(Buffer.concat([bytes, END]))
      expect(error.code).to.equal(code)
      expect(afterName(error)).to.equal(message)
    })
  }

  for (const [what, bytes, message] of [
    ['no end', tar({}), 'truncated: the blocks that end an archive are missing (at byte 512)'],
    [
      'half of its content',
      tar({ size: 600 }, 'x'.repeat(500)),
      'a: truncated: the archive ends within 600 bytes of content (at byte 512)',
    ],
    [
      'half of what is skipped',
      tar({ type: 'V', size: 600 }, 'x'.repeat(500)),
      'truncated: the archive ends within the content of a member (at byte 1024)',
    ],
  ] as const) {
    it(`is refused for ${what}`, async () => {
      const error = await refused(bytes)
      expect(error.code).to.equal('EBADMSG')
      expect(afterName(error)).to.equal(message)
    })
  }

  it('names the member', async () => {
    const { message, pathname } = await refused(Buffer.concat([tar({ name: 'some/../where' }), END]))
    expect(pathname).to.equal('some/../where')
    expect(message).to.match(/x: some\/\.\.\/where: the path holds '\.\.' \(at byte 0\)$/)
  })

  it('names a member by as much of its path as can be read', async () => {
    const path = `../${'x'.repeat(1000)}`
    const { message, pathname } = await refused(Buffer.concat([tar({ type: 'x' }, record('path', path)), tar({}), END]))
    expect(pathname).to.equal(path)
    expect(message).to.match(/x: \.\.\/x{200,} … \(1,003 characters\) … x{100,}: the path holds/)
  })

  it('drops what leads nowhere from paths: leading slashes and dots, empty components', async () => {
    const names = ['/abs', './rel', 'a//b', 'a/./c', '.hidden', 'a..b', '...']
    const members = await read(Buffer.concat([...names.map((name) => tar({ name })), END]))
    expect(members.map(({ path }) => path)).to.deep.equal(['abs', 'rel', 'a/b', 'a/c', '.hidden', 'a..b', '...'])
  })

  it('takes numbers from pax headers, global ones too, and keeps records it does not know', async () => {
    const big =
      record('uid', '3000000000') + record('gid', '7') + record('mtime', '-1.25') + record('FLUX.components', '["a/b"]')
    const bytes = [
      tar({ type: 'g' }, record('gid', '5') + record('mtime', '9000000000.5') + record('of.all', 'members')),
      tar({ type: 'x' }, `${big}${record('path', 'né')}`),
      tar({}, 'data'),
      tar({ name: 'plain' }),
      tar({ type: 'x' }, record('size', '3') + record('__proto__', 'x')),
      tar({ name: 'sized', size: 0 }),
      Buffer.from('abc'.padEnd(512, '\0')),
      END,
    ]
    const members = await read(Buffer.concat(bytes))
    expect(members[0]).to.deep.include({ path: 'né', uid: 3_000_000_000, gid: 7, mtimeSeconds: -1.25, offset: 1024 })
    expect(members[0]?.extra).to.include({ 'FLUX.components': '["a/b"]' })
    expect(members[1]).to.deep.include({ path: 'plain', gid: 5, mtimeSeconds: 9_000_000_000.5, extra: undefined })
    expect(members[2]?.content.toString()).to.equal('abc')
    expect(Object.keys(members[2]?.extra ?? {})).to.deep.equal(['__proto__'])
  })

  it("takes the header's own field where a pax record has no value, whatever a global header says", async () => {
    const global = record('path', 'global') + record('uid', '77') + record('size', '9')
    const bytes = [
      tar({ type: 'g' }, global),
      tar({ type: 'x' }, record('path', '') + record('uid', '') + record('size', '')),
      tar({ name: 'real' }, 'data'),
      tar({ type: 'x' }, record('path', 'local')),
      tar({ size: 0 }),
      Buffer.from('nine data'.padEnd(512, '\0')),
      END,
    ]
    const members = await read(Buffer.concat(bytes))
    expect(members.map(({ path, uid, content }) => [path, uid, `${content}`])).to.deep.equal([
      ['real', 0, 'data'],
      ['local', 77, 'nine data'],
    ])
  })

  it('skips a member that holds no file by the size in its pax header', async () => {
    for (const type of ['V', 'A', 'E']) {
      const sized = [tar({ type: 'x' }, record('size', '600')), tar({ name: 'skipped', type, size: 0 })]
      const members = await read(Buffer.concat([...sized, Buffer.alloc(1024, 'x'), tar({ name: 'b' }, 'data'), END]))
      expect(
        members.map(({ path, content }) => `${path} ${content}`),
        type,
      ).to.deep.equal(['b data'])
    }
  })

  it('takes very many records in one header', async () => {
    const keywords = Array.from({ length: 80_000 }, (_, n) => `k${n}`)
    const many = tar({ type: 'x' }, keywords.map((keyword) => record(keyword, 'v')).join(''))
    const [member] = await read(Buffer.concat([many, tar({}), END]))
    expect(Object.keys(member?.extra ?? {})).to.deep.equal(keywords)
  })

  it('holds only so much of long paths and records at a time', async () => {
    const file = join(scratch(), 'x')
    const long = [record('path', 'p'.repeat(400_000)), record('k', 'v'.repeat(600_000))]
    const members = Array.from({ length: 40 }, (_, n) => Buffer.concat([tar({ type: 'x' }, long[n % 2]), tar({})]))
    writeFileSync(file, Buffer.concat([...members, END]))
    await using archive = await openArchive(file)
    const batches: number[] = []
    for await (const batch of archive.batches()) batches.push(batch.length)
    expect(batches.reduce((sum, length) => sum + length)).to.equal(40)
    expect(Math.max(...batches)).to.equal(3)
  })

  it('ignores what comes after the end', async () => {
    expect(await read(Buffer.concat([tar({}), END, Buffer.from('garbage')]))).to.have.lengthOf(1)
    expect(await read(Buffer.concat([tar({}), END, Buffer.alloc(2 ** 20, 'garbage')]))).to.have.lengthOf(1)
  })

  it('refuses a tar in which a member follows zeros: a lost page must not look like the end', async () => {
    const members = ['a', 'b', 'c'].map((name) => tar({ name }, name.repeat(2000)))
    const at = (members[0] as Buffer).length
    for (const zeros of [512, 1024, 2560]) {
      const bytes = Buffer.concat([...members, END]).fill(0, at, at + zeros)
      const error = await refused(bytes)
      expect(error).to.include({ code: 'EBADMSG', offset: 2 * at })
      expect(afterName(error)).to.match(/^damaged, or several archives in one: a member follows zeros that end it/)
    }
    // Where archives were joined, far behind the end.
    expect(await refused(Buffer.concat([tar({}), END, Buffer.alloc(2 ** 20), tar({ name: 'b' }), END]))).to.include({
      code: 'EBADMSG',
    })
  })

  it('gives hard links the path they repeat, with or without content behind them', async () => {
    const sized = tar({ name: 'b', type: '1', size: 4, link: './a' })
    const members = await read(Buffer.concat([tar({}, 'data'), sized, tar({ name: 'c' }), END]))
    expect(members.map(({ path, type, linkname }) => `${path} ${type} ${linkname}`)).to.deep.equal([
      'a file ',
      'b hardlink a',
      'c file ',
    ])
  })

  it('finds a wrong checksum at the end of gzip, though the tar had ended before', async () => {
    const packed = gzipSync(Buffer.concat([tar({}, 'data'), END, Buffer.alloc(20_480)]))
    packed.writeUInt32LE(packed.readUInt32LE(packed.length - 8) ^ 1, packed.length - 8)
    const error = await refused(packed)
    expect(error).to.include({ code: 'EBADMSG' })
    expect(afterName(error)).to.match(/^damaged compressed data near compressed byte \d+: incorrect data check$/)
  })

  it('finds a wrong checksum in bzip2, xz and zip', async () => {
    for (const [name, message] of [
      ['snapshot.tar.bz2', "the compressed data is damaged: a stream's checksum does not match"],
      ['snapshot.tar.xz', 'the compressed data is damaged: a match outside the dictionary or its chunk'],
      ['snapshot.zip', 'bin: damaged: its checksum does not match (at byte 0)'],
    ] as const) {
      const bytes = readFileSync(fixture('archives', name))
      const central = bytes.indexOf('PK\x01\x02', 0, 'latin1')
      const at = name.endsWith('zip') ? central + 16 : name.endsWith('xz') ? bytes.length - 45 : bytes.length - 3
      bytes[at] = (bytes[at] as number) ^ 0x10
      const error = await refused(bytes)
      expect(error, name).to.include({ code: 'EBADMSG' })
      expect(afterName(error)).to.equal(message)
    }
  })

  it('refuses in zip what holds more than it declared, what is encrypted, and a method that is not known', async () => {
    const zip = (change: (central: Buffer) => void) => {
      const data = deflateRawSync(Buffer.alloc(100_000))
      const central = Buffer.alloc(47)
      central.write('PK\x01\x02', 'latin1')
      central.writeUInt16LE(8, 10)
      central.writeUInt32LE(data.length, 20)
      central.writeUInt32LE(10, 24)
      central.writeUInt16LE(1, 28)
      central.write('a', 46)
      change(central)
      const local = Buffer.alloc(31)
      local.write('PK\x03\x04', 'latin1')
      // Sizes and checksum follow the content.
      local.writeUInt16LE(8, 6)
      local.writeUInt16LE(central.readUInt16LE(10), 8)
      local.writeUInt16LE(1, 26)
      central.copy(local, 30, 46)
      const end = Buffer.alloc(22)
      end.write('PK\x05\x06', 'latin1')
      end.writeUInt16LE(1, 10)
      end.writeUInt32LE(central.length, 12)
      end.writeUInt32LE(local.length + data.length, 16)
      return Buffer.concat([local, data, central, end])
    }
    const longer = await refused(zip(() => {}))
    expect(afterName(longer)).to.equal('a: damaged: more content than the 10 bytes that were declared (at byte 0)')
    const encrypted = await refused(zip((central) => central.writeUInt16LE(1, 8)))
    expect(encrypted).to.include({ code: 'ENOTSUP', pathname: 'a' })
    expect(afterName(encrypted)).to.equal('a: is encrypted, which is not supported (at byte 0)')
    const unknown = await refused(zip((central) => central.writeUInt16LE(12, 10)))
    expect(unknown).to.include({ code: 'ENOTSUP', pathname: 'a' })
    expect(afterName(unknown)).to.equal('a: is compressed by method 12, which is not supported (at byte 0)')
    const name = zip((central) => central.write('/', 46))
    expect(await read(name)).to.have.lengthOf(1)
  })

  for (const filter of ['gzip -1', 'bzip2 -1', 'xz -0', 'zstd -q -1']) {
    it(`holds a part of a bomb at a time, whatever it was packed with: ${filter}`, function () {
      if (process.platform !== 'linux') this.skip()
      const dir = scratch()
      // A tar of one member that is all zeros, and 300 MiB of them.
      const size = 300 << 20
      writeFileSync(join(dir, 'head'), tar({ size }))
      shell(`(cat head; head -c ${size + 1024} /dev/zero) | ${filter} -c > x`, dir)
      const module = new URL('../../../src/archive/index.ts', import.meta.url).href
      const said = run(process.execPath, ['--input-type=module', '-e', BOMB, module, join(dir, 'x')])
      const { bytes, kilobytes } = JSON.parse(said.toString())
      expect(bytes).to.equal(size)
      expect(kilobytes).to.be.lessThan(250_000)
    })
  }
})
