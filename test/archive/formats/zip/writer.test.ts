import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ZipDirectory } from '../../../../src/archive/formats/zip/directory.ts'
import { ZipHeaders, type ZipMember } from '../../../../src/archive/formats/zip/headers.ts'
import { noteOf } from '../../../../src/archive/formats/zip/pack-run.ts'
import { createArchive } from '../../../../src/archive/index.ts'
import { SpillingSpool } from '../../../../src/archive/spool.ts'
import { readMembers, said, saidOfTree, type Tree } from '../../../support/archives.ts'
import { scratch } from '../../../support/fixtures.ts'
import { run } from '../../../support/processes.ts'
import { ATTRIBUTES, writeTree } from '../../../support/write-archive.ts'

/** What Python reads in the directory of a zip. */
function infolist(file: string): Record<string, unknown>[] {
  const script = `
import json, sys, zipfile
json.dump([dict(name=i.filename, size=i.file_size, packed=i.compress_size, offset=i.header_offset, method=i.compress_type,
    flags=i.flag_bits, mode=i.external_attr >> 16, date=i.date_time) for i in zipfile.ZipFile(sys.argv[1]).infolist()], sys.stdout)`
  return JSON.parse(run('python3', ['-c', script, file]).toString())
}

/** What this process has open in a directory, with or without a name. */
function openFilesOf(dir: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(`${dir}/`) ? [path] : []
    } catch {
      // The descriptor of the listing itself.
      return []
    }
  })
}

async function write(tree: Tree, attributes = ATTRIBUTES): Promise<string> {
  const file = join(scratch(), 'x.zip')
  await writeTree(file, tree, { attributes })
  return file
}

describe('archive/formats/zip', () => {
  it('has checksum and sizes before each content, never behind it, however large and whoever streams it', async () => {
    const tree = {
      small: 'some text '.repeat(50),
      large: Buffer.alloc(700_001, 'some text '),
      streamed: Buffer.alloc(3_000_000, 'some text '),
      link: { to: 'small' },
    }
    const file = await write(tree)
    const bytes = readFileSync(file)
    for (const { name, size, packed, offset, flags } of infolist(file)) {
      const at = offset as number
      expect(bytes.toString('latin1', at, at + 4)).to.equal('PK\x03\x04')
      expect((flags as number) & 8, name as string).to.equal(0)
      expect(bytes.readUInt32LE(at + 14)).to.not.equal(0)
      expect(bytes.readUInt32LE(at + 18)).to.equal(packed)
      expect(bytes.readUInt32LE(at + 22)).to.equal(size)
    }
  })

  it('stores what deflate does not make shorter', async () => {
    const contents = {
      empty: '',
      short: 'abc',
      noise: randomBytes(3000),
      'large noise': randomBytes(600_000),
      text: 'a'.repeat(99),
    }
    const file = join(scratch(), 'x.zip')
    await using archive = await createArchive(file, { attributes: ATTRIBUTES })
    for (const [path, content] of Object.entries(contents)) archive.file(path, content.length, [Buffer.from(content)])
    await archive.finish()
    const methods = infolist(file).map(({ name, method }) => [name, method])
    expect(methods).to.deep.equal([
      ['empty', 0],
      ['short', 0],
      ['noise', 0],
      ['large noise', 0],
      ['text', 8],
    ])
  })

  it('holds a member that is compressed to more than is kept in memory', async () => {
    const dir = scratch()
    const file = join(dir, 'x.zip')
    const piece = randomBytes(1 << 20)
    await using archive = await createArchive(file, { attributes: ATTRIBUTES })
    archive.file('a', 1, [Buffer.from('a')])
    await archive.streamFile(
      'b',
      40 << 20,
      (async function* () {
        for (let n = 0; n < 40; n++) yield [piece]
      })(),
    )
    archive.file('c', 1, [Buffer.from('c')])
    await archive.finish()
    expect(readdirSync(dir)).to.deep.equal(['x.zip'])
    const [a, b, c] = await readMembers(file)
    expect([a?.size, b?.size, c?.size]).to.deep.equal([1, 40 << 20, 1])
    expect(b?.content.subarray(39 << 20).equals(piece)).to.equal(true)
    expect(run('unzip', ['-tq', file]).toString()).to.include('No errors detected')
  })

  it('counts more members than the directory of a zip of old can', async () => {
    const file = join(scratch(), 'x.zip')
    await using archive = await createArchive(file, { attributes: ATTRIBUTES })
    for (let n = 0; n < 65_600; n++) archive.file(`d/${n}`, 0, [])
    await archive.finish()
    const count = 'import sys, zipfile; print(len(zipfile.ZipFile(sys.argv[1]).infolist()))'
    expect(run('python3', ['-c', count, file]).toString()).to.equal('65600\n')
  })

  it('spools the directory to a temporary file, of which nothing is left', async () => {
    const dir = scratch()
    const file = join(dir, 'x.zip')
    await using archive = await createArchive(file, { attributes: ATTRIBUTES, threads: 1 })
    // Noise does not deflate, so the notes on these members are more than is held in memory.
    const names = Array.from({ length: 7000 }, () => randomBytes(400).toString('hex'))
    for (const name of names) archive.file(name, 4, [Buffer.from('some')])
    await archive.flush()
    expect(readdirSync(dir)).to.have.length(1)
    expect(openFilesOf(dir)).to.have.length.greaterThan(1)
    await archive.finish()
    expect(readdirSync(dir)).to.deep.equal(['x.zip'])
    expect(openFilesOf(dir)).to.deep.equal([])
    expect(infolist(file).map(({ name }) => name)).to.deep.equal(names)
  })

  it('says sizes and positions from 4 GiB on with Zip64', async () => {
    // A directory alone, where it would be: what it speaks of is a hole.
    const headers = new ZipHeaders(ATTRIBUTES)
    const directory = new ZipDirectory(headers, new SpillingSpool(scratch(), 100))
    const member = (name: string, size: number): ZipMember => ({
      name: Buffer.from(name),
      isSymlink: false,
      isDeflated: false,
      crc: 0,
      packed: size,
      size,
      records: new Uint8Array(),
    })
    const members: [name: string, size: number, offset: number][] = [
      ['a', 2 ** 32 - 2, 0],
      ['b', 2 ** 32 - 1, 2 ** 32 - 1],
      ['c', 7e9, 2 ** 33],
      ['d', 1, 2 ** 34],
    ]
    for (const [name, size, offset] of members) await directory.add(noteOf(member(name, size)), offset)
    const file = join(scratch(), 'x.zip')
    const fd = openSync(file, 'w')
    for await (const chunk of directory.chunks(2 ** 35)) writeSync(fd, chunk, 0, chunk.length, 2 ** 35)
    closeSync(fd)
    await directory.close()
    const found = infolist(file).map(({ name, size, packed, offset }) => [name, size, packed, offset])
    expect(found).to.deep.equal(members.map(([name, size, offset]) => [name, size, size, offset]))
    // The header before the content says the same.
    const local = Buffer.alloc(200)
    const end = headers.local(local, 0, member('c', 7e9))
    expect(local.readUInt32LE(18)).to.equal(0xffff_ffff)
    expect(local.toString('hex', 31, 35)).to.equal('01001000')
    expect(local.readBigUInt64LE(35)).to.equal(7_000_000_000n)
    expect(local.readBigUInt64LE(43)).to.equal(7_000_000_000n)
    expect(end).to.equal(31 + local.readUInt16LE(28))
  })

  it('has mode, owner and time as libarchive has them', async () => {
    const file = await write({ a: 'text', é: { to: 'a' } })
    const [a, link] = infolist(file)
    expect(a).to.include({ mode: 0o100644, flags: 0 })
    expect(link).to.include({ mode: 0o120644, flags: 0x800 })
    expect(a?.date).to.deep.equal([2023, 11, 14, 22, 13, 20])
    const listed = run('bsdtar', ['-tvf', file, '--numeric-owner']).toString()
    expect(listed).to.match(/^-rw-r--r-- +\d 1000 +100 +4 Nov 14 +2023 a\nlrw-r--r-- .* é -> a\n$/)
    // "UT", with one time; "ux", with ids of 32 bits.
    expect(
      readFileSync(file).includes(Buffer.from('555405000100f15365' + '75780b000104e80300000464000000', 'hex')),
    ).to.equal(true)
  })

  for (const mtimeSeconds of [0, -1, 2 ** 31 - 1, 2 ** 31, 2 ** 33 + 5, -(2 ** 31) - 1, -11_644_473_600]) {
    it(`keeps the time ${mtimeSeconds}`, async () => {
      const file = await write({ a: 'text' }, { ...ATTRIBUTES, mtimeSeconds })
      expect((await readMembers(file))[0]).to.include({ mtimeSeconds })
    })
  }

  it('has the same bytes in every time zone', async () => {
    const { TZ } = process.env
    const files: Buffer[] = []
    for (const zone of ['UTC', 'Asia/Tokyo', 'America/Los_Angeles']) {
      process.env.TZ = zone
      files.push(readFileSync(await write({ a: 'text' })))
    }
    if (TZ === undefined) delete process.env.TZ
    else process.env.TZ = TZ
    expect(files[1]?.equals(files[0] as Buffer)).to.equal(true)
    expect(files[2]?.equals(files[0] as Buffer)).to.equal(true)
  })

  it('keeps records that have no word in it, for files of any size and for links', async () => {
    const file = join(scratch(), 'x.zip')
    const tree = { a: 'text', b: Buffer.alloc(600_000), c: { to: 'a' }, d: 'none' }
    const extra = { 'FLUX.components': '["a/é","\\u0000\\n"]', 'FLUX.linkname': '"x\\u0000"' }
    await writeTree(file, tree, {}, { a: extra, b: extra, c: extra })
    const members = await readMembers(file)
    expect(said(members)).to.deep.equal(saidOfTree(tree))
    for (const member of members.slice(0, 3)) expect({ ...member.extra }).to.deep.equal(extra)
    expect(members[3]?.extra).to.equal(undefined)
    for (const argv of [
      ['unzip', '-tq'],
      ['7z', 't'],
      ['bsdtar', '-tf'],
    ] as const)
      run(argv[0], [argv[1], file])
  })

  it('refuses what it cannot say, naming the key, and leaves nothing behind', async () => {
    const dir = scratch()
    const file = join(dir, 'x.zip')
    const refused = (tree: Tree, attributes = ATTRIBUTES, extra = {}) =>
      writeTree(file, tree, { attributes }, extra).catch((error) => error)
    const path = 'é'.repeat(33_000)
    const hint = 'write a .tar instead, or leave it out with --exclude'
    const long = await refused({ [path]: 'x' })
    expect(long).to.include({ code: 'ENAMETOOLONG', pathname: path, hint })
    expect(long.message).to.match(/^é+ … \(33,000 characters\) … é+: its path is longer than a zip can hold$/)
    expect(await refused({ a: { to: 'x'.repeat(600_000) } })).to.include({
      code: 'ENAMETOOLONG',
      pathname: 'a',
      message: 'a: the target of the link is longer than a zip can hold',
      hint,
    })
    expect(await refused({ a: 'x' }, ATTRIBUTES, { a: { 'FLUX.components': 'x'.repeat(70_000) } })).to.include({
      code: 'ENAMETOOLONG',
      message: 'a: the record of its exact key is longer than a zip can hold',
      hint,
    })
    expect(await refused({}, { ...ATTRIBUTES, uid: 2 ** 32 })).to.include({
      code: 'EOVERFLOW',
      message: 'zip: cannot store owner 4294967296, group 100 or time 1700000000',
      hint: 'write a .tar instead',
    })
    await using archive = await createArchive(file, { attributes: ATTRIBUTES })
    expect(() => archive.file('a', 3, [Buffer.from('four')])).to.throw('declared 3 bytes, but 4 were written')
    const short = (async function* () {
      yield [Buffer.from('four')]
    })()
    expect(await archive.streamFile('b', 5, short).catch((error) => error)).to.include({ code: 'EIO', pathname: 'b' })
    await archive.abort()
    expect(readdirSync(dir)).to.deep.equal([])
  })

  it('is smaller at a higher level', async () => {
    const text = Array.from({ length: 4000 }, (_, n) => `{"timestamp":${n * 7919},"name":"submit"}\n`).join('')
    const tree = { small: text, large: text.repeat(9) }
    const sizes: number[] = []
    for (const level of [1, 9]) {
      const file = join(scratch(), 'x.zip')
      await writeTree(file, tree, { level })
      sizes.push(readFileSync(file).length)
    }
    expect(sizes[1]).to.be.lessThan(sizes[0] as number)
  })
})
