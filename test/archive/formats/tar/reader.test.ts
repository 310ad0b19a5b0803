/** The fields of tar headers of every dialect, and the members that are headers of others. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ArchiveError, openArchive } from '../../../../src/archive/index.ts'
import { type Held, readMembers } from '../../../support/archives.ts'
import { scratch } from '../../../support/fixtures.ts'

type Text = string | Buffer

interface Fields {
  name: Text
  mode: Text
  uid: Text
  gid: Text
  size: Text
  mtime: Text
  type: Text
  link: Text
  magic: Text
  prefix: Text
  star: Text
}
const PLACES: Record<keyof Fields, number> = {
  name: 0,
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  type: 156,
  link: 157,
  magic: 257,
  prefix: 345,
  star: 508,
}

const octal = (number: number, width: number) => `${number.toString(8).padStart(width - 1, '0')}\0`

/** A header and its content, with a checksum that fits. */
function tar(fields: Partial<Fields>, content: Text = ''): Buffer {
  const data = Buffer.from(content)
  const header = Buffer.alloc(512)
  const all = { name: 'a', mode: '0000644\0', size: octal(data.length, 12), type: '0', magic: 'ustar\x0000', ...fields }
  for (const [field, text] of Object.entries(all)) Buffer.from(text).copy(header, PLACES[field as keyof Fields])
  header.write('        ', 148)
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

async function read(...blocks: Buffer[]): Promise<Held[]> {
  const file = join(scratch(), 'x.tar')
  writeFileSync(file, Buffer.concat([...blocks, END]))
  return readMembers(file)
}

async function refusal(...blocks: Buffer[]): Promise<Error | undefined> {
  return read(...blocks).then(
    () => undefined,
    (error: Error) => error,
  )
}

/** Paths and what is behind them. */
async function said(...blocks: Buffer[]): Promise<string[]> {
  return (await read(...blocks)).map(({ path, type, linkname, content }) =>
    [path, type, linkname, content].filter((part) => part.length > 0).join(' '),
  )
}

describe('archive/formats/tar/reader', () => {
  it('reads every field of a header', async () => {
    const fields = { mode: '0104751\0', uid: '0001750\0', gid: '0000144\0', mtime: '14524770400\0' }
    const [a, b, ...more] = await read(tar(fields, 'x'.repeat(513)), tar({ name: 'b' }, 'data'))
    expect(a).to.include({ path: 'a', type: 'file', size: 513, mode: 0o4751, uid: 1000, gid: 100, linkname: '' })
    expect(a).to.include({ mtimeSeconds: 0o14524770400, extra: undefined, offset: 0, contentOffset: 512 })
    expect(b).to.include({ path: 'b', offset: 1536, contentOffset: 2048 })
    expect(`${b?.content}`).to.equal('data')
    expect(more).to.deep.equal([])
  })

  it('reads numbers with spaces around them, without a terminator, and empty ones', async () => {
    const [spaced] = await read(tar({ uid: '   17 \0 ', gid: '    17 x', mtime: ' 7 ' }))
    expect(spaced).to.include({ uid: 0o17, gid: 0o17, mtimeSeconds: 7 })
    const [full] = await read(tar({ uid: '77777777', gid: '        ', mtime: '777777777777' }))
    expect(full).to.include({ uid: 0o77777777, gid: 0, mtimeSeconds: 0o777777777777 })
    const [empty] = await read(tar({ uid: '        ', gid: '    17 \0' }))
    expect(empty).to.include({ uid: 0, gid: 0o17 })
  })

  it('reads numbers in base 256, negative ones too', async () => {
    const negative = Buffer.alloc(12, 0xff).fill(0x80, 11)
    const [member] = await read(
      tar({
        uid: Buffer.from('8000000100000002', 'hex'),
        gid: Buffer.from('80000000ffffffff', 'hex'),
        mtime: negative,
      }),
    )
    expect(member).to.include({ uid: 2 ** 32 + 2, gid: 0xffffffff, mtimeSeconds: -128 })
    const [largest] = await read(tar({ mtime: Buffer.from(`8000000000${'1fffffffffffff'}`, 'hex') }))
    expect(largest).to.include({ mtimeSeconds: Number.MAX_SAFE_INTEGER })
  })

  for (const [what, fields, code, says] of [
    ['a digit 8', { uid: '0000008\0' }, 'EBADMSG', 'the uid is not a number'],
    ['a sign', { gid: '-000001\0' }, 'EBADMSG', 'the gid is not a number'],
    ['a letter', { mtime: '0000000000a\0' }, 'EBADMSG', 'the mtime is not a number'],
    ['a mode that is text', { mode: 'rw-r--r-' }, 'EBADMSG', 'the mode is not a number'],
    ['a size that is text', { size: 'x' }, 'EBADMSG', 'the size is not a number'],
    [
      'a time that no number holds',
      { mtime: Buffer.from('800000000020000000000000', 'hex') },
      'EOVERFLOW',
      'the mtime',
    ],
    ['a negative size', { size: Buffer.alloc(12, 0xff) }, 'EBADMSG', 'the size is negative'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await refusal(tar({ name: 'first' }, 'data'), tar(fields))
      expect(error).to.include({ code, offset: 1024 })
      expect(error?.message).to.include(says)
    })
  }

  it('reads names and targets that fill their fields', async () => {
    const [name, link, prefix] = ['n'.repeat(100), 'l'.repeat(100), 'p'.repeat(155)]
    const [member] = await read(tar({ name, link, prefix, mode: '0000600\0', type: '2' }))
    expect(member).to.include({ path: `${prefix}/${name}`, linkname: link, mode: 0o600 })
  })

  it('takes the prefix of POSIX, the shorter one of star, and none of GNU and V7', async () => {
    const prefix = Buffer.concat([Buffer.alloc(131, 'p'), Buffer.alloc(24, 't')])
    const path = async (fields: Partial<Fields>) => (await read(tar({ ...fields, prefix })))[0]?.path
    expect(await path({})).to.equal(`${prefix}/a`)
    expect(await path({ star: 'tar\0' })).to.equal(`${'p'.repeat(131)}/a`)
    expect(await path({ star: 'tas\0' })).to.equal(`${prefix}/a`)
    expect(await path({ magic: 'ustar  \0' })).to.equal('a')
    expect(await path({ magic: '' })).to.equal('a')
    expect(await path({ magic: 'ustas\0' })).to.equal('a')
    expect((await read(tar({ prefix: '' })))[0]?.path).to.equal('a')
  })

  for (const [typeflag, type] of Object.entries({
    '0': 'file',
    '\0': 'file',
    '7': 'file',
    '1': 'hardlink',
    '2': 'symlink',
    '3': 'character-device',
    '4': 'block-device',
    '5': 'directory',
    D: 'directory',
    '6': 'fifo',
  })) {
    it(`reads a member of type ${JSON.stringify(typeflag)} as ${type}, and what follows it`, async () => {
      const content = type === 'file' || typeflag === 'D' ? 'data' : ''
      const [member, next] = await read(tar({ type: typeflag, link: 'to' }, content), tar({ name: 'next' }, 'x'))
      const isLink = type === 'symlink' || type === 'hardlink'
      expect(member).to.include({ path: 'a', type, size: type === 'file' ? 4 : 0, linkname: isLink ? 'to' : '' })
      expect(member?.contentOffset).to.equal(type === 'file' ? 512 : undefined)
      expect(`${member?.content}`).to.equal(type === 'file' ? 'data' : '')
      expect(`${next?.path} ${next?.content}`).to.equal('next x')
    })
  }

  it('takes an empty file whose name ends in a slash for a directory, as old tars have them', async () => {
    expect(await said(tar({ name: 'a/' }), tar({ name: 'b/' }, 'data'), tar({ name: '/', type: '5' }))).to.deep.equal([
      'a directory',
      'b file data',
      'directory',
    ])
  })

  it('reads long names and targets of GNU', async () => {
    const [name, link] = ['n'.repeat(600), 'l'.repeat(700)]
    const long = [tar({ name: '././@LongLink', type: 'L' }, `${name}\0`), tar({ type: 'K' }, `${link}\0junk`)]
    // Whatever the fields of the member itself hold.
    const own = { name: Buffer.from([0x61, 0xff]), link: Buffer.from([0x62, 0xff]) }
    expect(await said(...long, tar({ ...own, type: '2' }), tar({ name: 'b' }))).to.deep.equal([
      `${name} symlink ${link}`,
      'b file',
    ])
    expect((await read(...long, tar(own)))[0]).to.include({ offset: 0 })
    expect(await said(tar({ type: 'L' }, '\0'), tar({ type: '5' }))).to.deep.equal(['directory'])
    expect((await read(tar({ type: 'L' }, 'no NUL'), tar({})))[0]).to.include({ path: 'no NUL', offset: 0 })
  })

  it('reads pax headers of POSIX and of Sun, of which a later one wins', async () => {
    const headers = [
      tar({ type: 'x' }, record('path', 'first') + record('linkpath', 'to') + record('uid', '7')),
      tar({ type: 'X' }, record('path', 'second') + record('k', 'v')),
      tar({ type: '1', name: Buffer.from([0xff]) }),
    ]
    const [first, member, next] = await read(tar({ name: 'before' }), ...headers, tar({ name: 'after' }))
    expect(first).to.include({ path: 'before', uid: 0 })
    expect(member).to.deep.include({ path: 'second', linkname: 'to', uid: 7, offset: 512 })
    expect({ ...member?.extra }).to.deep.equal({ k: 'v' })
    expect(next).to.include({ path: 'after', uid: 0, extra: undefined, linkname: '', offset: 512 * 6 })
  })

  it('reads a header that fills its blocks', async () => {
    for (const length of [511, 512, 513]) {
      const path = 'p'.repeat(length - record('path', 'p'.repeat(490)).length + 490)
      expect(await said(tar({ type: 'x' }, record('path', path)), tar({}, 'x'))).to.deep.equal([`${path} file x`])
    }
  })

  it('takes only the path, or only the target, from a header that has no other', async () => {
    expect(
      await said(
        tar({ type: 'x' }, record('path', 'long')),
        tar({ name: Buffer.from([0xff]), type: '2', link: 'to' }),
        tar({ type: 'x' }, record('linkpath', 'long')),
        tar({ name: 'b', type: '2', link: Buffer.from([0xff]) }),
      ),
    ).to.deep.equal(['long symlink to', 'b symlink long'])
  })

  it('forgets the records of a global header that come after the first member: archives were joined', async () => {
    const file = join(scratch(), 'x.tar')
    const global = (value: string) => tar({ type: 'g' }, record('comment', value) + record('uid', '5'))
    const recordsOf = async (...blocks: Buffer[]) => {
      writeFileSync(file, Buffer.concat(blocks))
      await using archive = await openArchive(file)
      const uids: number[] = []
      for await (const batch of archive.batches()) uids.push(...batch.map(({ uid }) => uid))
      return { records: { ...archive.records }, uids }
    }
    expect(await recordsOf(global('one'), tar({}), END)).to.deep.equal({ records: { comment: 'one' }, uids: [5] })
    expect(await recordsOf(global('one'), tar({}), tar({ type: 'x' }, record('k', 'v')), tar({}), END)).to.deep.equal({
      records: { comment: 'one' },
      uids: [5, 5],
    })
    expect((await read(global('one'), tar({})))[0]).to.include({ offset: 1024 })
    expect(await recordsOf(global('one'), tar({}), global('two'), tar({}), END)).to.deep.equal({
      records: {},
      uids: [5, 5],
    })
    // The one that our encoder puts behind the end.
    const last = (fields: Partial<Fields> = {}) => tar({ type: 'g', ...fields }, record('comment', 'two'))
    const whole = [global('one'), tar({}), END]
    expect((await recordsOf(...whole, last())).records).to.deep.equal({ comment: 'two' })
    for (const no of [tar({ type: 'x' }, record('comment', 'two')), last({ size: octal(2 ** 20 + 1, 12) })]) {
      const error = await recordsOf(...whole, no).catch((error) => error)
      expect(error).to.be.instanceOf(ArchiveError).with.property('code', 'EBADMSG')
    }
    const damaged = last()
    damaged[0] = 0x62
    expect((await recordsOf(...whole, damaged)).records).to.deep.equal({ comment: 'one' })
    expect((await recordsOf(...whole, last({ size: octal(600, 12) }))).records).to.deep.equal({ comment: 'one' })
  })

  it('skips the content that a hard link of a pax archive repeats, and of another one where there is any', async () => {
    const link = (size: number) => tar({ name: 'l', type: '1', link: 'a', size: octal(size, 12) })
    const content = Buffer.from('data'.padEnd(512, '\0'))
    const [a, z] = [tar({}, 'data'), tar({ name: 'z' }, 'x')]
    const all = ['a file data', 'l hardlink a', 'z file x']
    expect(await said(a, link(4), content, z)).to.deep.equal(all)
    expect(await said(a, link(4), z)).to.deep.equal(all)
    expect(await said(a, link(0), z)).to.deep.equal(all)
    expect(await said(a, tar({ type: 'x' }, record('k', 'v')), link(4), content, z)).to.deep.equal(all)
    // In a pax archive the next block is content, also where it looks like a header.
    expect(await said(a, tar({ type: 'x' }, record('k', 'v')), link(4), tar({ name: 'inner' }), z)).to.deep.equal(all)
    expect(await said(a, link(4))).to.deep.equal(all.slice(0, 2))
  })

  it('takes the content of a file for content, also where it is a tar', async () => {
    const inner = Buffer.concat([tar({ name: 'inner' }), tar({ name: 'other' }), END])
    const [outer, next, ...more] = await read(tar({}, inner), tar({ name: 'b' }, 'x'))
    expect(outer?.content.equals(inner)).to.equal(true)
    expect(`${next?.path} ${next?.content}`).to.equal('b x')
    expect(more).to.deep.equal([])
  })

  it('skips the content of a link or a directory, however long it is', async () => {
    const content = Buffer.alloc((1 << 20) + 600, 'x')
    for (const type of ['1', 'D']) {
      const link = tar({ name: 'l', type, link: 'a' }, content)
      const members = await said(tar({}, 'data'), tar({ type: 'x' }, record('k', 'v')), link, tar({ name: 'z' }, 'x'))
      expect(members).to.deep.equal(['a file data', type === '1' ? 'l hardlink a' : 'l directory', 'z file x'])
    }
  })

  it('keeps the target of a link and the type of a link whose name ends in a slash', async () => {
    expect(await said(tar({ name: 'a/', type: '2', link: './b//c' }))).to.deep.equal(['a symlink ./b//c'])
    expect(await said(tar({ name: 'a', type: '1', link: './b//c' }))).to.deep.equal(['a hardlink b/c'])
  })

  it('gives no batch without members', async () => {
    const file = join(scratch(), 'x.tar')
    writeFileSync(file, Buffer.concat([tar({ type: 'V' }), END]))
    await using archive = await openArchive(file)
    for await (const batch of archive.batches()) expect(batch).to.have.length(1)
  })

  it('tells where a record is damaged', async () => {
    const damaged = (type: string) => tar({ type }, `${record('k', 'v')}x\n`)
    expect(await refusal(tar({}), damaged('g'), tar({}))).to.include({ code: 'EBADMSG', offset: 512 + 512 + 6 })
    expect(await refusal(tar({}), damaged('x'), tar({}))).to.include({ code: 'EBADMSG', offset: 512 + 512 + 6 })
    expect(await refusal(tar({}), END, damaged('g'))).to.include({ code: 'EBADMSG', offset: 512 + 1024 + 512 + 6 })
  })

  it('streams a file of more than 1 MiB, and skips what is not read of it', async () => {
    for (const size of [1 << 20, (1 << 20) + 1, (1 << 20) + 512]) {
      const content = Buffer.alloc(size, 'abc')
      const file = join(scratch(), 'x.tar')
      writeFileSync(file, Buffer.concat([tar({}, content), tar({ name: 'b' }, 'x'), END]))
      const [whole, next] = await readMembers(file)
      expect(whole?.content.equals(content)).to.equal(true)
      expect(`${next?.content}`).to.equal('x')
      await using archive = await openArchive(file)
      const members: string[] = []
      for await (const batch of archive.batches())
        members.push(...batch.map(({ path, data }) => `${path} ${data?.length}`))
      expect(members).to.deep.equal([size > 1 << 20 ? 'a undefined' : `a ${size}`, 'b 1'])
    }
  })

  for (const [what, blocks, message, offset] of [
    ['within a header', [tar({}).subarray(0, 511)], 'the archive ends within a header', 0],
    ['where a header should be', [tar({})], 'the blocks that end an archive are missing', 512],
    ['within content', [tar({}, 'x'.repeat(600)).subarray(0, 1100)], 'ends within 600 bytes of content', 512],
    ['within an extended header', [tar({ type: 'x' }, record('path', 'b')).subarray(0, 515)], 'a header of 9 bytes', 0],
    [
      'within content that is skipped',
      [tar({ type: 'D' }, 'x'.repeat(600)).subarray(0, 1100)],
      'content of a member',
      1100,
    ],
    ['with a damaged header', [tar({}), Buffer.alloc(512, 1)], 'its checksum does not match', 512],
    ['with a pax header', [tar({ type: 'x' }, record('path', 'b')), END], 'without a member', 1024],
  ] as const) {
    it(`refuses an archive that ends ${what}`, async () => {
      const file = join(scratch(), 'x.tar')
      writeFileSync(file, Buffer.concat(blocks))
      const error = await readMembers(file).then(
        () => undefined,
        (error: Error) => error,
      )
      expect(error).to.include({ code: 'EBADMSG', offset })
      if (what.includes('content')) expect(error).to.include({ pathname: 'a' })
      expect(error?.message).to.include(message)
    })
  }

  it('reads a last content without its padding', async () => {
    const file = join(scratch(), 'x.tar')
    writeFileSync(file, tar({}, 'x'.repeat(600)).subarray(0, 512 + 600))
    const error = await readMembers(file).then(
      () => undefined,
      (error: Error) => error,
    )
    expect(error?.message).to.include('the blocks that end an archive are missing')
  })

  for (const [what, blocks, code, says] of [
    ['a file without a name', [tar({ name: '' })], 'EINVAL', 'a member without a name'],
    ['a sparse file of GNU', [tar({ type: 'S' })], 'ENOTSUP', 'is a sparse file'],
    [
      'a sparse file of Sun',
      [tar({ type: 'x' }, record('SUN.holesdata', ' 0 1')), tar({})],
      'ENOTSUP',
      'is a sparse file',
    ],
    ['a file of several volumes', [tar({ type: 'M' })], 'ENOTSUP', 'continues a file of another volume'],
    ['old long names of GNU', [tar({ type: 'N' })], 'ENOTSUP', 'holds names in an old GNU way'],
    ['a type that is not known', [tar({ type: 'Q' })], 'ENOTSUP', "is of type 'Q', which is not known"],
    [
      'a target with a NUL',
      [tar({ type: 'x' }, record('linkpath', 'a\0b')), tar({ type: '2' })],
      'EINVAL',
      'target holds',
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await refusal(...blocks)
      expect(error).to.include({ code, offset: 0 })
      expect(error?.message).to.include(says)
    })
  }
})
