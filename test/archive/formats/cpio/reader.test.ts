/** Files with several names, as newc has them: the content is at the last name, and nothing else says that it was. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ArchiveError } from '../../../../src/archive/index.ts'
import { failure, readMembers } from '../../../support/archives.ts'
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
})
