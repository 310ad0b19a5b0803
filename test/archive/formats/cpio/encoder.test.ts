import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { CpioEncoder } from '../../../../src/archive/formats/cpio/encoder.ts'
import { ChunkWriter } from '../../../../src/bytes/index.ts'
import { readMembers, said, saidOfTree, type Tree } from '../../../support/archives.ts'
import { scratch } from '../../../support/fixtures.ts'
import { run } from '../../../support/processes.ts'
import { ATTRIBUTES, writeTree } from '../../../support/write-archive.ts'

async function write(tree: Tree): Promise<string> {
  const file = join(scratch(), 'x.cpio')
  await writeTree(file, tree)
  return file
}

describe('archive/formats/cpio', () => {
  it('is odc, a header of octal numbers for each member, with a trailer and nothing after it', async () => {
    const records = [
      ['070707', '000000', '000001', '100644', '001750', '000144', '000001', '000000', '14524770400', '000002'],
      ['00000000004', 'a\0four'],
      ['070707', '000000', '000002', '120644', '001750', '000144', '000001', '000000', '14524770400', '000002'],
      ['00000000002', 'b\0é'],
      ['070707', '000000', '000000', '000000', '000000', '000000', '000001', '000000', '00000000000', '000013'],
      ['00000000000', 'TRAILER!!!\0'],
    ]
    expect(readFileSync(await write({ a: 'four', b: { to: 'é' } })).toString()).to.equal(records.flat().join(''))
  })

  it('holds what comes after a key that is called like the trailer', async () => {
    const tree = { 'TRAILER!!!': '', z: 'after' }
    const file = await write(tree)
    expect(said(await readMembers(file))).to.deep.equal(saidOfTree(tree))
    expect(run('cpio', ['-it', '--quiet'], readFileSync(file)).toString()).to.match(/^(\.\/)?TRAILER!!!\nz\n$/)
  })

  it('keeps records that have no word in it, where other readers do not look', async () => {
    const file = join(scratch(), 'x.cpio')
    const tree = { 'a/b%2Fc': 'text', link: { to: 'x' }, z: 'after' }
    const extra = { 'FLUX.components': '["a","b/c\\u0000"]' }
    await writeTree(file, tree, {}, { 'a/b%2Fc': extra, link: extra })
    const members = await readMembers(file)
    expect(said(members)).to.deep.equal(saidOfTree(tree))
    expect(members.map((member) => member.extra?.['FLUX.components'])).to.deep.equal([
      extra['FLUX.components'],
      extra['FLUX.components'],
      undefined,
    ])
    const names = 'a/b%2Fc\nlink\nz\n'
    expect(run('cpio', ['-it', '--quiet'], readFileSync(file)).toString()).to.equal(names)
    expect(run('bsdtar', ['-tf', file]).toString()).to.equal(names)
  })

  it('gives each member a number of its own, however many there are', () => {
    const out = new ChunkWriter()
    const encoder = new CpioEncoder(out, ATTRIBUTES)
    const numbers = new Set<string>()
    const count = 0o1000000 + 10
    for (let n = 0; n < count; n++) encoder.file('a', 0, [])
    const bytes = Buffer.concat(out.take(true))
    for (let at = 0; at < bytes.length; at += 78) numbers.add(bytes.toString('latin1', at + 6, at + 18))
    expect(numbers.size).to.equal(count)
  })

  it('refuses what it cannot say', () => {
    const encoder = (attributes = ATTRIBUTES) => new CpioEncoder(new ChunkWriter(), attributes)
    for (const [wrong, what] of [
      [{ uid: 262_144 }, 'owner 262144, group 100: ids go up to 262143'],
      [{ gid: 2 ** 20 }, 'owner 1000, group 1048576: ids go up to 262143'],
      [{ mtimeSeconds: -1 }, 'time -1: times go from 0 to 8589934591'],
      [{ mtimeSeconds: 2 ** 33 }, 'time 8589934592: times go from 0 to 8589934591'],
    ] as const) {
      expect(() => encoder({ ...ATTRIBUTES, ...wrong }))
        .to.throw(`cpio: cannot store ${what}`)
        .with.include({ code: 'EOVERFLOW', hint: 'write a .tar instead' })
    }
    encoder({ ...ATTRIBUTES, uid: 262_143, gid: 262_143, mtimeSeconds: 2 ** 33 - 1 })
    encoder({ ...ATTRIBUTES, mtimeSeconds: 0 })
    // With the NUL at its end.
    encoder().file('x'.repeat(262_142), 0, [])
    encoder().symlink('a', 'x'.repeat(2 ** 20))
    encoder().beginFile('a', 2 ** 33 - 1)
    const tooLarge = expect(() => encoder().beginFile('a', 2 ** 33)).to.throw(
      'a: its 8589934592 bytes are more than the 8 GiB that a cpio can hold',
    )
    const hint = 'write a .tar instead, or leave it out with --exclude'
    tooLarge.that.includes({ code: 'EFBIG', pathname: 'a', format: 'cpio', hint })
    const path = 'x'.repeat(262_143)
    const tooLong = expect(() => encoder().file(path, 0, [])).to.throw(
      ': a name of more than 262143 bytes, which a cpio cannot hold',
    )
    tooLong.that.includes({ code: 'ENAMETOOLONG', pathname: path }).with.property('hint').that.is.a('string')
    const target = expect(() => encoder().symlink('a', 'x'.repeat(2 ** 20 + 1))).to.throw(
      'a: the target of the link is longer than the 1048576 bytes that readers accept',
    )
    target.that.includes({ code: 'ENAMETOOLONG', pathname: 'a' }).with.property('hint').that.is.a('string')
    expect(() => encoder().file('a', 3, [Buffer.from('four')])).to.throw('declared 3 bytes, but 4 were written')
  })
})
