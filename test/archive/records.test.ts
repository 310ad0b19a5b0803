/** Records of an archive as a whole: written where other readers show or ignore them, and read again. */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createArchive, openArchive } from '../../src/archive/index.ts'
import { failure } from '../support/archives.ts'
import { scratch } from '../support/fixtures.ts'
import { has, run } from '../support/processes.ts'
import { ATTRIBUTES, WRITTEN } from '../support/write-archive.ts'

const FIRST = { comment: 'made by a test', 'TEST.first': 'é 1', 'TEST.both': 'first' }
const LAST = { 'TEST.both': 'last', 'TEST.last': '=2=' }

async function write(file: string, members: readonly string[], hasRecords = true): Promise<void> {
  const records = hasRecords ? FIRST : undefined
  await using archive = await createArchive(file, { attributes: ATTRIBUTES, records })
  for (const path of members) archive.file(path, path.length, [Buffer.from(path)])
  await archive.flush()
  await archive.finish(records && LAST)
}

async function read(file: string, salvaged?: string[]): Promise<{ records: object; paths: string[] }> {
  await using archive = await openArchive(file, salvaged && { onLoss: ({ message }) => salvaged.push(message) })
  const paths: string[] = []
  for await (const batch of archive.batches())
    for (const { path, type, extra } of batch) {
      expect(extra, path).to.equal(undefined)
      if (type === 'file') paths.push(path)
    }
  return { records: { ...archive.records }, paths }
}

/** What lists the files of an archive, without a word on stderr. */
const TOOLS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  tar: [
    ['tar', '-tf'],
    ['tar', '-tif'],
    ['bsdtar', '-tf'],
    ['bsdcpio', '-it', '--quiet', '-F'],
    ['busybox', 'tar', '-tf'],
    ['python3', '-c', 'import sys, tarfile; print("\\n".join(tarfile.open(sys.argv[1]).getnames()))'],
    ['python3', '-c', 'import sys, tarfile; print("\\n".join(tarfile.open(sys.argv[1], "r|*").getnames()))'],
  ],
  cpio: [
    ['cpio', '-it', '--quiet', '-F'],
    ['bsdtar', '-tf'],
    ['bsdcpio', '-it', '--quiet', '-F'],
  ],
  zip: [
    ['unzip', '-Z1'],
    ['bsdtar', '-tf'],
    ['python3', '-c', 'import sys, zipfile; print("\\n".join(zipfile.ZipFile(sys.argv[1]).namelist()))'],
  ],
  iso9660: [['bsdtar', '-tf']],
}

describe('archive: records of an archive as a whole', () => {
  for (const [what, records] of [
    ['a comment of two lines', { comment: 'one\ntwo' }],
    ['a keyword with a space', { 'not a': 'keyword' }],
  ] as const) {
    it(`cannot be ${what} in a zip, which is not written then`, async () => {
      const dir = scratch()
      const archive = await createArchive(join(dir, 'x.zip'), { attributes: ATTRIBUTES, records })
      const error = await archive.finish().catch((error) => error)
      await archive.abort()
      const [keyword] = Object.keys(records)
      expect(error).to.include({ code: 'EINVAL', message: `zip: cannot hold the record ${keyword}` })
      expect(readdirSync(dir)).to.deep.equal([])
    })
  }

  const members = ['a', 'b/c', 'b/d', 'z']

  for (const extension of WRITTEN) {
    it(`are read again, the last ones first: ${extension}`, async () => {
      const file = join(scratch(), `x${extension}`)
      await write(file, members)
      const { records, paths } = await read(file)
      expect(paths.sort()).to.deep.equal(members)
      expect(records).to.deep.equal(extension === '/' ? {} : { ...FIRST, ...LAST })
    })

    it(`are read in a salvage, which loses nothing of a sound archive: ${extension}`, async () => {
      const file = join(scratch(), `x${extension}`)
      await write(file, members)
      const lost: string[] = []
      const { records, paths } = await read(file, lost)
      expect(lost).to.deep.equal([])
      expect(paths.sort()).to.deep.equal(members)
      expect(records).to.deep.equal(extension === '/' ? {} : { ...FIRST, ...LAST })
    })
  }

  for (const [extension, format] of [
    ['.tar', 'tar'],
    ['.cpio', 'cpio'],
    ['.zip', 'zip'],
    ['.iso', 'iso9660'],
  ] as const) {
    for (const tool of (TOOLS[format] as string[][]).filter(([program]) => has(program as string))) {
      it(`are no member for ${tool.slice(0, 2).join(' ')}: ${extension}`, async () => {
        const file = join(scratch(), `x${extension}`)
        await write(file, members)
        const [program, ...args] = tool
        const listed = run(program as string, [...args, file]).toString()
        const files = listed
          .split('\n')
          .filter((line) => line !== '' && line !== '.' && !line.endsWith('/') && line !== 'b')
        expect(files.sort()).to.deep.equal(members)
      })
    }

    it(`do not change an archive that has none: ${extension}`, async () => {
      const dir = scratch()
      await write(join(dir, `1${extension}`), members, false)
      const { records, paths } = await read(join(dir, `1${extension}`))
      expect(paths.sort()).to.deep.equal(members)
      expect(records).to.deep.equal({})
    })
  }

  it('leave a tar without members as it was, which Python would not read otherwise', async () => {
    const dir = scratch()
    await write(join(dir, '1.tar'), [])
    await write(join(dir, '2.tar'), [], false)
    expect(readFileSync(join(dir, '1.tar')).equals(readFileSync(join(dir, '2.tar')))).to.equal(true)
  })

  it('stand between the members of tars that were joined, which only a salvage reads', async () => {
    const dir = scratch()
    const [one, two, both] = ['1.tar', '2.tar', 'both.tar'].map((name) => join(dir, name)) as [string, string, string]
    await write(one, ['a'])
    await write(two, ['b'])
    writeFileSync(both, readFileSync(one))
    appendFileSync(both, readFileSync(two))
    expect((await failure(both)) as Error).to.have.property('code', 'EBADMSG')
    const lost: string[] = []
    expect((await read(both, lost)).paths).to.deep.equal(['a', 'b'])
    expect(lost).to.have.length(1)
    expect(run('tar', ['-tif', both]).toString()).to.equal('a\nb\n')
  })

  it('go when a program appends to a tar, or joins two: none of them is of the whole', async () => {
    const dir = scratch()
    await write(join(dir, '1.tar'), ['a'])
    await write(join(dir, '2.tar'), ['b'])
    run('sh', ['-c', `cd '${dir}' && cp 1.tar appended.tar && echo c > c && tar -rf appended.tar c`])
    run('sh', ['-c', `cd '${dir}' && cp 1.tar joined.tar && tar -Af joined.tar 2.tar`])
    expect(await read(join(dir, 'appended.tar'))).to.deep.equal({ records: FIRST, paths: ['a', 'c'] })
    expect(await read(join(dir, 'joined.tar'))).to.deep.equal({ records: {}, paths: ['a', 'b'] })
  })

  it('are shown by the tools that show the comment of a zip', async () => {
    const file = join(scratch(), 'x.zip')
    await write(file, members)
    expect(run('unzip', ['-z', file]).toString()).to.include('made by a test\nTEST.first=é 1\n')
    expect(existsSync(file)).to.equal(true)
  })

  it('are limited together, since they are held in memory', async () => {
    const file = join(scratch(), 'x.tar')
    const long = 'x'.repeat(700_000)
    await using archive = await createArchive(file, { attributes: ATTRIBUTES, records: { 'TEST.a': long } })
    archive.file('f', 0, [])
    await archive.finish({ 'TEST.b': long })
    const { records, paths } = await read(file)
    expect(paths).to.deep.equal(['f'])
    expect(Object.keys(records)).to.deep.equal(['TEST.a'])
  })
})
