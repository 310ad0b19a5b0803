/** Images that were cut off. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ArchiveError, openArchive } from '../../../../src/archive/index.ts'
import { makeTree, readMembers, said, shell, type Tree } from '../../../support/archives.ts'
import { scratch } from '../../../support/fixtures.ts'
import { has } from '../../../support/processes.ts'
import { writeTree } from '../../../support/write-archive.ts'

/** Values of all sizes, the last of them in the last sectors. */
const TREE: Tree = {
  ...Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`job/${n}/R`, `${n} `.repeat(20 * n)])),
  'a/large': Buffer.alloc(700_000, 'large '),
  link: { to: 'job/1/R' },
  [`z/${'long'.repeat(50)}`]: 'a name that goes on elsewhere',
}

/** Sectors that mkisofs and bsdtar add for discs that are burnt track at once. */
const PADDING_BYTES = 150 * 2048

const WRITERS: readonly [what: string, tool: string, write: (dir: string) => Promise<unknown>][] = [
  ['ours', 'sh', (dir) => writeTree(join(dir, 'x.iso'), TREE)],
  ['genisoimage', 'genisoimage', async (dir) => shell('genisoimage -quiet -R -J -o x.iso t 2>/dev/null', dir)],
  ['genisoimage without padding', 'genisoimage', async (dir) => shell('genisoimage -quiet -R -no-pad -o x.iso t', dir)],
  ['bsdtar', 'bsdtar', async (dir) => shell('bsdtar -C t -cf x.iso --format=iso9660 .', dir)],
]

/** What an image holds, and how. @returns undefined with what is wrong, as an error */
async function read(file: string): Promise<unknown> {
  try {
    return said(await readMembers(file))
  } catch (error) {
    expect(error).to.be.instanceOf(ArchiveError)
    return (error as ArchiveError).code
  }
}

describe('archive/formats/iso9660/reader', () => {
  for (const [what, tool, write] of WRITERS) {
    it(`refuses what was cut off anywhere, unless all members are there: ${what}`, async function () {
      if (!has(tool)) this.skip()
      const dir = scratch()
      makeTree(join(dir, 't'), TREE)
      await write(dir)
      const whole = readFileSync(join(dir, 'x.iso'))
      const all = said(await readMembers(join(dir, 'x.iso')))
      const file = join(dir, 'cut.iso')
      const ends = whole.findLastIndex((byte) => byte !== 0) + 1
      // Up to 10,240 zeros are an empty tar as well: a restore of that takes a flag.
      const lengths = [10_241, 20_480, 32_767, 32_768, 32_769, ends - 1, ends, whole.length - 1]
      for (let length = 12_000; length < whole.length; length += 5003) lengths.push(length)
      for (const length of lengths) {
        writeFileSync(file, whole.subarray(0, length))
        const found = await read(file)
        if (typeof found === 'string') expect(found, `${length}`).to.be.oneOf(['EBADMSG', 'ENOTSUP'])
        else expect(found, `${length}`).to.deep.equal(all)
        if (length < ends) expect(found, `${length}`).to.be.a('string')
      }
    })
  }

  it('reads an image whose padding was cut off', async function () {
    if (!has('genisoimage')) this.skip()
    const dir = scratch()
    makeTree(join(dir, 't'), TREE)
    shell('genisoimage -quiet -R -J -o x.iso t 2>/dev/null', dir)
    const all = said(await readMembers(join(dir, 'x.iso')))
    const whole = readFileSync(join(dir, 'x.iso'))
    writeFileSync(join(dir, 'x.iso'), whole.subarray(0, whole.length - PADDING_BYTES))
    expect(said(await readMembers(join(dir, 'x.iso')))).to.deep.equal(all)
  })

  it('holds the size of the volume against that of the file, before any member is handed out', async () => {
    const file = join(scratch(), 'x.iso')
    await writeTree(file, TREE)
    const whole = readFileSync(file)
    writeFileSync(file, whole.subarray(0, whole.length - PADDING_BYTES - 1))
    await using archive = await openArchive(file)
    const error = await archive
      .batches()
      [Symbol.asyncIterator]()
      .next()
      .then(
        () => undefined,
        (error) => error,
      )
    expect(error?.message).to.include(
      `x.iso: truncated: the volume has ${whole.length} bytes, the file only ${whole.length - PADDING_BYTES - 1}`,
    )
    expect(error).to.include({ hint: 'copy the image again' })
  })
})
