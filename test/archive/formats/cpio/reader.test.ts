/** Files with several names, as newc has them: the content is at the last name, and nothing else says that it was. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type ArchiveError, openArchive } from '../../../../src/archive/index.ts'
import { failure, type Held, readMembers } from '../../../support/archives.ts'
import { scratch } from '../../../support/fixtures.ts'
import { run } from '../../../support/processes.ts'

/** One member: a file with `names` names, of which this is one. */
function record(name: string, content: string, ino: number, names: number): string {
  const fields = [ino, 0o100644, 0, 0, names, 0, content.length, 0, 0, 0, 0, name.length + 1, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
  return filled(header) + filled(content)
}

/** A header with fields as given, and what follows it. */
function header(
  fields: { magic?: string; mode?: number; names?: number; size?: number | string; check?: number },
  name = 'a',
) {
  const { magic = '070701', mode = 0o100644, names = 1, size = 0, check = 0 } = fields
  const numbers = [1, mode, 0, 0, names, 0, size, 0, 0, 0, 0, name.length + 1, check]
  const texts = numbers.map((field) => (typeof field === 'string' ? field : field.toString(16).padStart(8, '0')))
  return filled(`${magic}${texts.join('')}${name}\0`)
}

const filled = (text: string) => text.padEnd(Math.ceil(text.length / 4) * 4, '\0')

const TRAILER = record('TRAILER!!!', '', 0, 1)

async function read(...records: string[]): Promise<string[]> {
  const file = join(scratch(), 'x.cpio')
  writeFileSync(file, records.join('') + TRAILER)
  return (await readMembers(file)).map(
    ({ path, linkname, content }) => `${path} ${linkname || JSON.stringify(`${content}`)}`,
  )
}

/** Fields of a header of newc that {@link newc} fills in, in their order. */
const FIELDS = {
  ino: 1,
  mode: 0o100644,
  uid: 0,
  gid: 0,
  nlink: 1,
  mtime: 0,
  size: -1,
  devmajor: 0,
  devminor: 0,
  rdevmajor: 0,
  rdevminor: 0,
  namesize: -1,
  check: 0,
}

/** One member of newc, with fields as given. */
function newc(name: string, content: string, given: Partial<typeof FIELDS> & { magic?: string } = {}): string {
  const { magic = '070701', ...fields } = given
  const all = { ...FIELDS, size: content.length, namesize: name.length + 1, ...fields }
  const numbers = Object.values(all).map((field) => field.toString(16).padStart(8, '0'))
  return filled(`${magic}${numbers.join('')}${name}\0`) + filled(content)
}

/** All members of an archive. */
async function members(...records: string[]): Promise<Held[]> {
  const file = join(scratch(), 'x.cpio')
  writeFileSync(file, records.join(''), 'latin1')
  return readMembers(file)
}

async function refusal(...records: string[]): Promise<Error | undefined> {
  return members(...records).then(
    () => undefined,
    (error: Error) => error,
  )
}

/** The sum that newc with a checksum has. */
const sumOf = (content: string) => Buffer.from(content).reduce((sum, byte) => sum + byte, 0)

/** Reads an archive, and says how many members there were. */
const COUNT = `
const { openArchive } = await import(process.argv[1])
const archive = await openArchive(process.argv[2])
let members = 0
for await (const batch of archive.batches()) members += batch.length
console.log(members)`

describe('archive/formats/cpio/reader', () => {
  for (const [what, text, code, message] of [
    ['another type', header({ mode: 0o170644 }), 'ENOTSUP', 'a: is of a type that is not known (at byte 0)'],
    ['no name', header({}, '/'), 'EINVAL', '/: a member without a name (at byte 0)'],
    [
      'a number that is none',
      header({ size: '0000000g' }),
      'EBADMSG',
      'damaged header: a field is not a number (at byte 0)',
    ],
    ['another header', `${header({})}07070x`, 'EBADMSG', 'damaged: no header where one should be (at byte 112)'],
    ['no trailer', header({}), 'EBADMSG', 'truncated: the trailer that ends an archive is missing (at byte 112)'],
    ['no whole header', `${header({})}070701`, 'EBADMSG', 'truncated: the archive ends within a header (at byte 112)'],
    [
      'content that is cut off',
      `${header({ size: 8 })}x`,
      'EBADMSG',
      'a: truncated: the archive ends within 8 bytes of content (at byte 113)',
    ],
    [
      'a NUL in the target of a link',
      `${header({ mode: 0o120777, size: 4 })}b\0c\0`,
      'EINVAL',
      'a: the link target holds a NUL (at byte 0)',
    ],
    [
      'a link whose target is too long',
      header({ mode: 0o120777, size: 2 ** 20 + 1 }),
      'EOVERFLOW',
      'a: a link target of 1048577 bytes: at most 1048576 are read (at byte 0)',
    ],
    [
      'a name that is too long',
      header({}).replace('00000002', '00100001'),
      'EOVERFLOW',
      'a name of 1048577 bytes: at most 1048576 are read (at byte 0)',
    ],
    [
      'another checksum than that of its content',
      `${header({ magic: '070702', size: 4, check: 7 })}data`,
      'EBADMSG',
      'a: damaged: its checksum does not match (at byte 0)',
    ],
  ] as const) {
    it(`refuses a member with ${what}`, async () => {
      const file = join(scratch(), 'x.cpio')
      writeFileSync(file, text)
      const error = (await failure(file)) as ArchiveError
      expect(error).to.include({ code, message: `${file}: ${message}` })
    })
  }

  it('gives all names of a file its content, wherever that is', async () => {
    expect(await read(record('a', '', 1, 3), record('b', '', 1, 3), record('c', 'x', 1, 3))).to.deep.equal([
      'c "x"',
      'a c',
      'b c',
    ])
    expect(await read(record('a', 'x', 1, 3), record('b', '', 1, 3), record('c', '', 1, 3))).to.deep.equal([
      'a "x"',
      'b a',
      'c a',
    ])
  })

  it('limits the memory for names that wait for others of their file', async () => {
    const name = 'a'.repeat(2 ** 20 - 1)
    for (const content of ['', 'x']) {
      const names = Array.from({ length: 260 }, (_, n) => record(name, content, n, 2))
      const error = await read(...names).then(
        () => undefined,
        (error: Error) => error,
      )
      expect(error).to.include({ code: 'EOVERFLOW' })
      expect(error?.message).to.include('hard links that wait for other names of their files take more than 256 MiB')
      expect(error).to.include({ hint: 'unpack it with cpio, and restore the directory' })
    }
  })

  it('reads a hundred thousand files whose other names are not in the archive', async () => {
    const names = Array.from({ length: 100_002 }, (_, n) => record('a', n % 2 ? 'x' : '', n, 2))
    expect(await read(...names)).to.have.length(100_002)
  })

  it('takes a file for empty when none of its names has content', async () => {
    expect(await read(record('a', '', 1, 2), record('b', '', 1, 2), record('c', 'x', 2, 1))).to.deep.equal([
      'a ""',
      'b a',
      'c "x"',
    ])
    // With another name that is not in the archive.
    expect(await read(record('a', '', 1, 3), record('b', '', 1, 3))).to.deep.equal(['a ""', 'b a'])
  })

  it('tells apart two files that have one inode number, one after another', async () => {
    const first = [record('a', '', 1, 2), record('b', 'x', 1, 2)]
    const second = [record('c', '', 1, 2), record('d', 'y', 1, 2)]
    expect(await read(...first, ...second)).to.deep.equal(['b "x"', 'a b', 'd "y"', 'c d'])
  })

  it('keeps nothing of files whose names it has all seen, however many there are', () => {
    const file = join(scratch(), 'x.cpio')
    const fd = openSync(file, 'w')
    const files = 400_000
    for (let n = 0; n < files; ) {
      let text = ''
      for (let i = 0; i < 1000; i++, n++) {
        text += record(`job/${n}/the-first-name`, '', n + 1, 2) + record(`job/${n}/the-second-name`, 'x', n + 1, 2)
      }
      writeSync(fd, text)
    }
    writeSync(fd, TRAILER)
    closeSync(fd)
    const module = new URL('../../../../src/archive/index.ts', import.meta.url).href
    // It takes 20 MB of heap; with the names of all of them it took more than 48.
    const said = run(process.execPath, ['--max-old-space-size=40', '--input-type=module', '-e', COUNT, module, file])
    expect(Number(said)).to.equal(2 * files)
  })

  it('reads the fields of a header, in octal and in hexadecimal', async () => {
    const fields = { mode: 0o104751, uid: 0xabc, gid: 0x12345, mtime: 0x65a1b2c3 }
    const [first, second, ...more] = await members(newc('a', 'four', fields), newc('b', 'x'), TRAILER)
    expect(first).to.include({ path: 'a', type: 'file', size: 4, mode: 0o4751, uid: 0xabc, gid: 0x12345 })
    expect(first).to.include({
      mtimeSeconds: 0x65a1b2c3,
      linkname: '',
      offset: 0,
      contentOffset: 112,
      extra: undefined,
    })
    expect(`${first?.content}`).to.equal('four')
    expect(second).to.include({ path: 'b', offset: 116, contentOffset: 228 })
    expect(more).to.deep.equal([])

    const odc = ['070707', '000001', '000002', '100640', '001750', '000144', '000001', '000000', '14524770400']
    const end = `070707${'0'.repeat(53)}00001300000000000TRAILER!!!\0`
    const [only] = await members(`${odc.join('')}00000200000000003a\0abc`, end)
    expect(only).to.include({ mode: 0o640, uid: 1000, gid: 100, mtimeSeconds: 0o14524770400, contentOffset: 78 })
  })

  for (const [type, bits, content] of [
    ['directory', 0o040000, 'ignored'],
    ['fifo', 0o010000, 'ignored'],
    ['character-device', 0o020000, ''],
    ['block-device', 0o060000, ''],
    ['socket', 0o140000, ''],
    // libarchive leaves the type out.
    ['file', 0, 'content'],
  ] as const) {
    it(`reads a member of mode ${bits.toString(8)} as ${type}, and what follows it`, async () => {
      const [member, next] = await members(newc('a', content, { mode: bits | 0o600 }), newc('b', 'x'), TRAILER)
      const isFile = type === 'file'
      expect(member).to.include({ path: 'a', type, mode: 0o600, size: isFile ? content.length : 0 })
      expect(member?.contentOffset).to.equal(isFile ? 112 : undefined)
      expect(`${member?.content}`).to.equal(isFile ? content : '')
      expect(`${next?.content}`).to.equal('x')
    })
  }

  it('reads a link and its target', async () => {
    const target = 'x'.repeat(2 ** 20)
    const [link] = await members(newc('a', target, { mode: 0o120777 }), TRAILER)
    expect(link).to.include({ type: 'symlink', linkname: target, size: 0 })
  })

  it('tells files of one number on different devices apart', async () => {
    const [one, other] = [
      { nlink: 2, devmajor: 1 },
      { nlink: 2, devmajor: 2 },
    ]
    const minor = { nlink: 2, devmajor: 1, devminor: 1 }
    const names = [newc('a', '', one), newc('b', '', other), newc('c', '', minor)]
    const digits = [
      newc('g', '', { nlink: 2, devmajor: 1, devminor: 11 }),
      newc('h', 'u', { nlink: 2, devmajor: 11, devminor: 1 }),
    ]
    expect((await members(...digits, TRAILER)).map(({ type }) => type)).to.deep.equal(['file', 'file'])
    const contents = [newc('d', 'x', one), newc('e', 'y', other), newc('f', 'z', minor)]
    const found = (await members(...names, ...contents, TRAILER)).map(({ path, linkname }) => `${path} ${linkname}`)
    expect(found).to.deep.equal(['d ', 'a d', 'e ', 'b e', 'f ', 'c f'])
  })

  it('takes only files with several names for links to one another', async () => {
    const [a, b] = await members(newc('a', 'x', { nlink: 1 }), newc('b', '', { nlink: 1 }), TRAILER)
    expect([a?.type, b?.type]).to.deep.equal(['file', 'file'])
    const [empty, full] = await members(newc('a', '', { nlink: 1 }), newc('b', 'x', { nlink: 1 }), TRAILER)
    expect([empty, full].map((member) => `${member?.path} ${member?.type}`)).to.deep.equal(['a file', 'b file'])
    // In odc each name has the content.
    const twice = ['a', 'b'].map(
      (name) => `070707${'0'.repeat(11)}1100644${'0'.repeat(12)}000002${'0'.repeat(17)}00000200000000000${name}\0`,
    )
    const odcEnd = `070707${'0'.repeat(53)}00001300000000000TRAILER!!!\0`
    expect((await members(...twice, odcEnd)).map(({ path, type }) => `${path} ${type}`)).to.deep.equal([
      'a file',
      'b file',
    ])
    const directory = { mode: 0o040755, nlink: 2 }
    const dirs = await members(newc('a', '', directory), newc('b', '', directory), TRAILER)
    expect(dirs.map(({ path, type }) => `${path} ${type}`)).to.deep.equal(['a directory', 'b directory'])
  })

  it('begins a new file after the last of its names, also when its content came first', async () => {
    const names = [newc('a', 'x', { nlink: 2 }), newc('b', '', { nlink: 2 })]
    const again = [newc('c', '', { nlink: 2 }), newc('d', 'y', { nlink: 2 })]
    const found = (await members(...names, ...again, TRAILER)).map(({ path, linkname }) => `${path} ${linkname}`)
    expect(found).to.deep.equal(['a ', 'b a', 'd ', 'c d'])
  })

  for (const bytes of [5, (1 << 20) + 3]) {
    it(`compares the checksum of a newc archive that has them, with contents of ${bytes} bytes`, async () => {
      const content = 'abc\u007f!'.repeat(bytes).slice(0, bytes)
      const magic = '070702'
      const link = newc('l', 'target', { mode: 0o120777, magic, check: 5 })
      const [file, , next] = await members(
        newc('a', content, { check: sumOf(content), magic }),
        link,
        newc('b', 'x', { check: sumOf('x'), magic }),
        TRAILER,
      )
      expect(file?.content.equals(Buffer.from(content))).to.equal(true)
      expect(`${next?.content}`).to.equal('x')
      const wrong = [
        newc('b', 'x', { check: sumOf('x'), magic }),
        newc('a', content, { check: sumOf(content) + 1, magic }),
      ]
      const error = await refusal(...wrong, TRAILER)
      expect(error).to.include({ code: 'EBADMSG', pathname: 'a', offset: 116 })
      expect(error?.message).to.include('its checksum does not match')
      // Without the magic of a checksum, the field means nothing.
      expect(await members(newc('a', content, { check: 1 }), TRAILER)).to.have.length(1)
    })
  }

  const before = newc('b', 'x')
  const odc = (uid: string) => `070707${'0'.repeat(18)}${uid}${'0'.repeat(29)}00000200000000000a\0`
  const damaged: [what: string, record: string, code: string, says: string, at: { path?: string; offset: number }][] = [
    ['no trailer', '', 'EBADMSG', 'the trailer that ends an archive is missing', { offset: 116 }],
    ['another magic', 'x'.repeat(200), 'EBADMSG', 'no header where one should be', { offset: 116 }],
    ['a header that is cut off', newc('a', '').slice(0, 109), 'EBADMSG', 'ends within a header', { offset: 116 }],
    ['a name that is cut off', newc('abcdef', '').slice(0, 113), 'EBADMSG', 'ends within a name', { offset: 116 }],
    ['a name of no bytes', newc('', '', { namesize: 0 }), 'EBADMSG', 'ends within a name', { offset: 116 }],
    [
      'a name that is too long',
      newc('a', '', { namesize: 2 ** 20 + 1 }),
      'EOVERFLOW',
      'a name of 1048577',
      { offset: 116 },
    ],
    [
      'content that is cut off',
      newc('a', 'x'.repeat(9)).slice(0, -4),
      'EBADMSG',
      'ends within 9 bytes of content',
      { path: 'a', offset: 236 },
    ],
    [
      'a directory that is cut off',
      newc('a', 'x', { mode: 0o040755 }).slice(0, -1),
      'EBADMSG',
      'ends within a member',
      { path: 'a', offset: 116 },
    ],
    ...['g0000000', '0000000g', ' 0000000'].map((uid): (typeof damaged)[number] => [
      `the hexadecimal field '${uid}'`,
      newc('a', '').replace(/(?<=^.{22}).{8}/, uid),
      'EBADMSG',
      'a field is not a number',
      { offset: 116 },
    ]),
    ...['800000', '000008', ' 00000', '00000 '].map((uid): (typeof damaged)[number] => [
      `the octal field '${uid}'`,
      odc(uid),
      'EBADMSG',
      'a field is not a number',
      { offset: 116 },
    ]),
    [
      'a type that is not known',
      newc('a', '', { mode: 0o110000 }),
      'ENOTSUP',
      'of a type that is not known',
      { path: 'a', offset: 116 },
    ],
    ['a file without a name', newc('.', 'x'), 'EINVAL', 'a member without a name', { path: '.', offset: 116 }],
    [
      'a NUL in a target',
      newc('a', 'x\0y', { mode: 0o120777 }),
      'EINVAL',
      'the link target holds a NUL',
      { path: 'a', offset: 116 },
    ],
    [
      'a target that is too long',
      newc('a', 'x'.repeat(2 ** 20 + 1), { mode: 0o120777 }),
      'EOVERFLOW',
      'a link target of 1048577',
      { path: 'a', offset: 116 },
    ],
    ['records in a name of newc', newc('a\x0012 FLUX.k=v\n', ''), 'EINVAL', 'the path holds a NUL', { offset: 116 }],
  ]
  for (const [what, record, code, says, { path, offset }] of damaged) {
    it(`refuses ${what}`, async () => {
      const error = await refusal(before, record)
      expect(error).to.include({ code, offset })
      if (path !== undefined) expect(error).to.include({ pathname: path })
      expect(error?.message).to.include(says)
    })
  }

  it('skips a directory with a long content, and takes one without a name', async () => {
    const directory = newc('.', 'x'.repeat(2 ** 20 + 1), { mode: 0o040755 })
    const found = await members(directory, newc('b', 'y'), TRAILER)
    expect(found.map(({ path, type, content }) => `${path} ${type} ${content}`)).to.deep.equal([
      ' directory ',
      'b file y',
    ])
  })

  it('gives batches of a bounded number of members, and none without members', async () => {
    const file = join(scratch(), 'x.cpio')
    const batches = async (...records: string[]) => {
      writeFileSync(file, [...records, TRAILER].join(''))
      await using archive = await openArchive(file)
      const sizes: number[] = []
      for await (const batch of archive.batches()) sizes.push(batch.length)
      return sizes
    }
    expect(await batches()).to.deep.equal([])
    const many = (content: string, names: number) =>
      Array.from({ length: 1030 }, (_, n) => newc(`${n}`, content, { ino: n, nlink: names }))
    expect(await batches(...many('x', 1))).to.deep.equal([1024, 6])
    // Names whose file follows, those that follow it, and those whose file is not there.
    expect(await batches(...many('', 2), ...many('x', 2))).to.deep.equal([1024, 1024, 12])
    expect(await batches(...many('x', 2), ...many('', 2))).to.deep.equal([1024, 1024, 12])
    expect(await batches(...many('', 2), ...many('', 2))).to.deep.equal([1024, 1024, 12])
    expect(await batches(...many('', 2))).to.deep.equal([1024, 6])
  })

  it('holds files of up to 1 MiB, streams larger ones, and holds nothing for what is no file', async () => {
    const file = join(scratch(), 'x.cpio')
    const sizes = [0, 1 << 20, (1 << 20) + 1]
    const records = sizes.map((size) => newc(`${size}`, 'x'.repeat(size)))
    writeFileSync(file, [...records, newc('d', '', { mode: 0o040755 }), TRAILER].join(''))
    await using archive = await openArchive(file)
    const held: unknown[] = []
    for await (const batch of archive.batches())
      held.push(...batch.map(({ data, stream }) => data?.length ?? typeof stream))
    expect(held).to.deep.equal([0, 1 << 20, 'function', 'undefined'])
  })

  it('takes a name without its NUL, and one as long as any may be', async () => {
    const name = 'n'.repeat(2 ** 20 - 1)
    const found = await members(newc('abc', 'x', { namesize: 3 }), newc(name, 'y'), TRAILER)
    expect(found.map(({ path, content }) => `${path.length} ${content}`)).to.deep.equal(['3 x', `${name.length} y`])
  })

  it('ends at a trailer only if that is empty, and ignores what follows', async () => {
    const found = await members(newc('TRAILER!!!', 'x'), newc('b', 'y'), TRAILER, newc('c', 'z'))
    expect(found.map(({ path }) => path)).to.deep.equal(['TRAILER!!!', 'b'])
  })
})
