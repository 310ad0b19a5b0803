/** Files with several names, as newc has them: the content is at the last name, and nothing else says that it was. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { readMembers } from '../../../support/archives.ts'
import { scratch } from '../../../support/fixtures.ts'
import { run } from '../../../support/processes.ts'

/** One member: a file with `names` names, of which this is one. */
function record(name: string, content: string, ino: number, names: number): string {
  const fields = [ino, 0o100644, 0, 0, names, 0, content.length, 0, 0, 0, 0, name.length + 1, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
  return filled(header) + filled(content)
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
