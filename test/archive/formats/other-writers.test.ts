import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ArchiveError } from '../../../src/archive/index.ts'
import { failure, makeTree, readMembers, said, saidOfTree, shell } from '../../support/archives.ts'
import { scratch } from '../../support/fixtures.ts'
import { has } from '../../support/processes.ts'

/** A directory `t` with one file under three names, and an empty one under two. */
function linked(): string {
  const dir = scratch()
  makeTree(join(dir, 't'), { a: 'content', b: 'other', empty: '' })
  shell('cd t; ln a c; ln a d; ln empty f', dir)
  return dir
}

const shape = (members: readonly { path: string; type: string; linkname: string; content: Buffer }[]) =>
  Object.fromEntries(members.map(({ path, type, linkname, content }) => [path, `${type} ${linkname}${content}`]))

describe('archive/formats/cpio/reader', () => {
  before(function () {
    if (!has('cpio')) this.skip()
  })

  it('gives all names of a file its content, though newc has it at the last one only', async () => {
    const dir = linked()
    shell('cd t; printf "a\\nb\\nc\\nempty\\nf\\nd\\n" | cpio -o -H newc > ../out 2>/dev/null', dir)
    expect(shape(await readMembers(join(dir, 'out')))).to.deep.equal({
      a: 'hardlink d',
      b: 'file other',
      c: 'hardlink d',
      d: 'file content',
      empty: 'file ',
      f: 'hardlink empty',
    })
  })

  it('reads each name of a file as a file of its own in odc, where each has the content', async () => {
    const dir = linked()
    shell('cd t; printf "a\\nc\\nd\\n" | cpio -o -H odc > ../out 2>/dev/null', dir)
    const members = await readMembers(join(dir, 'out'))
    expect(shape(members)).to.deep.equal({ a: 'file content', c: 'file content', d: 'file content' })
  })

  it('refuses a checksum that does not match', async () => {
    const dir = linked()
    shell('cd t; echo b | cpio -o -H crc > ../out 2>/dev/null', dir)
    const file = join(dir, 'out')
    const bytes = readFileSync(file)
    bytes.write('X', bytes.indexOf('other'))
    writeFileSync(file, bytes)
    expect(await failure(file)).to.include({ code: 'EBADMSG', pathname: 'b', offset: 0 })
  })

  it('refuses a name that claims a gigabyte', async () => {
    const file = join(scratch(), 'x')
    const bytes = Buffer.from(`070701${'0'.repeat(88)}4000000000000000`)
    writeFileSync(file, bytes)
    expect(await failure(file)).to.include({ code: 'EOVERFLOW', offset: 0 })
  })
})

describe('archive/formats/zip/reader', () => {
  const python = (script: string, dir: string) => {
    writeFileSync(join(dir, 'make.py'), `import sys, zipfile, io\n${script}`)
    shell('python3 make.py', dir)
    return join(dir, 'out')
  }

  it('reads Zip64, and a zip with a comment and no members', async () => {
    const dir = scratch()
    const file = python(
      `z = zipfile.ZipFile('out', 'w', zipfile.ZIP_DEFLATED)
with z.open('a/b', 'w', force_zip64=True) as f: f.write(b'data')
z.writestr('\\u00e9', b'unicode')
z.close()`,
      dir,
    )
    expect(said(await readMembers(file))).to.deep.equal(saidOfTree({ 'a/b': 'data', é: 'unicode' }))
    python(`z = zipfile.ZipFile('out', 'w'); z.comment = b'PK\\x05\\x06 not yet'; z.close()`, dir)
    expect(await readMembers(file)).to.deep.equal([])
  })

  it('reads more members than the directory of a zip of old can count', async () => {
    const dir = scratch()
    const script = `z = zipfile.ZipFile('out', 'w')
for n in range(65600): z.writestr(zipfile.ZipInfo('%d' % n), b'')
z.close()`
    expect(await readMembers(python(script, dir))).to.have.lengthOf(65_600)
  })

  it('takes a name without the UTF-8 flag for code page 437, when it cannot be UTF-8', async () => {
    const dir = scratch()
    const file = python(`z = zipfile.ZipFile('out', 'w'); z.writestr('caf_', b'x'); z.close()`, dir)
    const bytes = readFileSync(file)
    for (let at = -1; (at = bytes.indexOf('caf_', at + 1)) >= 0; ) bytes[at + 3] = 0x82
    writeFileSync(file, bytes)
    expect((await readMembers(file)).map(({ path }) => path)).to.deep.equal(['café'])
  })

  it("refuses a path with '..'", async () => {
    const file = python(`z = zipfile.ZipFile('out', 'w'); z.writestr('../x', b'x'); z.close()`, scratch())
    expect(await failure(file)).to.include({ code: 'EINVAL', pathname: '../x' })
  })
})

describe('archive/formats/iso9660/reader', () => {
  before(function () {
    if (!has('genisoimage')) this.skip()
  })

  /** An image with plain names only, and where the record of each name is. */
  function image(tree: Parameters<typeof makeTree>[1]) {
    const dir = scratch()
    makeTree(join(dir, 't'), tree)
    shell('genisoimage -quiet -o x t 2>/dev/null', dir)
    const file = join(dir, 'x')
    const bytes = readFileSync(file)
    // In the tables of paths a name stands behind other bytes than its length.
    const record = (name: string) => bytes.indexOf(`${String.fromCharCode(name.length)}${name}`, 19 * 2048) - 32
    return { file, bytes, record, save: () => writeFileSync(file, bytes) }
  }

  it('reads a file in several extents', async () => {
    const { file, bytes, record, save } = image({ a: 'x'.repeat(3000), b: 'yyy' })
    const at = record('A.;1')
    bytes[at + 25] = 0x80
    save()
    const members = await readMembers(file)
    expect(members.map(({ path, size }) => [path, size])).to.deep.equal([['B', 3003]])
    expect(members[0]?.content.toString()).to.equal(`${'x'.repeat(3000)}yyy`)
  })

  it('refuses a directory within itself', async () => {
    const { file, bytes, save } = image({ 'dir/a': 'x' })
    const root = bytes.readUInt32LE(16 * 2048 + 156 + 2)
    for (let at = -1; (at = bytes.indexOf('\x03DIR', at + 1)) >= 0; ) bytes.writeUInt32LE(root, at - 30)
    save()
    const error = await failure(file)
    expect(error).to.be.instanceOf(ArchiveError).that.includes({ code: 'EBADMSG', pathname: 'DIR' })
  })

  it('refuses a file beyond the end of the image', async () => {
    const { file, bytes, record, save } = image({ a: 'x' })
    bytes.writeUInt32LE(0xffff_ffff, record('A.;1') + 10)
    save()
    expect(await failure(file)).to.include({ code: 'EBADMSG', pathname: 'A' })
  })
})

describe('archive/formats/directory/reader', () => {
  it('gives what is in it in the byte order of names, depth first, and follows nothing', async () => {
    const dir = scratch()
    makeTree(dir, { 'b/x': '1', 'a.b': '2', 'a/y': '3', B: '4', link: { to: '/etc' }, 'b/a/c/d': '5' })
    shell('mkfifo fifo', dir)
    const members = await readMembers(`${dir}/`)
    expect(members.map(({ path, type }) => `${path} ${type}`)).to.deep.equal([
      'B file',
      'a directory',
      'a/y file',
      'a.b file',
      'b directory',
      'b/a directory',
      'b/a/c directory',
      'b/a/c/d file',
      'b/x file',
      'fifo fifo',
      'link symlink',
    ])
    expect(members.at(-1)?.linkname).to.equal('/etc')
  })

  it('names what it cannot decode', async () => {
    const dir = scratch()
    shell('touch "$(printf \'a\\377\')"', dir)
    expect(await failure(dir)).to.include({ code: 'EILSEQ' })
  })
})
