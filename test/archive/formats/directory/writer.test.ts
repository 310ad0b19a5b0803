import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createArchive } from '../../../../src/archive/index.ts'
import type { Tree } from '../../../support/archives.ts'
import { scratch } from '../../../support/fixtures.ts'
import { ATTRIBUTES, writeTree } from '../../../support/write-archive.ts'

const refusal = (path: string, tree: Tree, extra = {}) => writeTree(path, tree, {}, extra).catch((error) => error)

const HINT = 'write a .tar instead, or leave it out with --exclude'

describe('archive/formats/directory', () => {
  it('has the files and links, with mode and time, and nothing beside it', async () => {
    const dir = scratch()
    await writeTree(join(dir, 'x/'), { 'a/b': 'text', 'a/empty': '', 'l/one': { to: 'a.b' }, 'l/two': { to: 'one' } })
    expect(readdirSync(dir)).to.deep.equal(['x'])
    expect(readFileSync(join(dir, 'x/a/b'), 'utf8')).to.equal('text')
    const { mode, mtimeMs } = lstatSync(join(dir, 'x/a/b'))
    expect(mode & 0o777).to.equal(0o600)
    expect(mtimeMs).to.equal(ATTRIBUTES.mtimeSeconds * 1000)
    // A link to a link, which is nothing odd among keys.
    expect(readlinkSync(join(dir, 'x/l/two'))).to.equal('one')
    expect(lstatSync(join(dir, 'x')).mode & 0o777).to.equal(0o700)
  })

  it('has the permissions that were asked for, or those of the empty directory that it replaces', async () => {
    const dir = scratch()
    const modes = (...names: string[]) => names.map((name) => (lstatSync(join(dir, name)).mode & 0o7777).toString(8))
    const umask = process.umask(0o077)
    try {
      const archive = await createArchive(join(dir, 'x/'), { attributes: ATTRIBUTES, fileMode: 0o640 })
      archive.file('a/b/c', 1, [Buffer.from('1')])
      await archive.finish()
    } finally {
      process.umask(umask)
    }
    expect(modes('x', 'x/a', 'x/a/b', 'x/a/b/c')).to.deep.equal(['750', '750', '750', '640'])
    mkdirSync(join(dir, 'empty'))
    chmodSync(join(dir, 'empty'), 0o2775)
    await writeTree(join(dir, 'empty/'), { 'a/b': '1' })
    expect(modes('empty', 'empty/a', 'empty/a/b')).to.deep.equal(['2775', '700', '600'])
  })

  it('says in its own words that another one of its name was faster', async () => {
    const path = join(scratch(), 'x/')
    const slow = await createArchive(path, { attributes: ATTRIBUTES })
    slow.file('a', 1, [Buffer.from('1')])
    await writeTree(path, { b: '2' })
    const error = await slow.finish().catch((error) => error)
    expect(error).to.include({ code: 'EEXIST', message: `cannot write ${path}: it is not empty by now` })
    await slow.abort()
    expect(readdirSync(path)).to.deep.equal(['b'])
    expect(readdirSync(join(path, '..'))).to.deep.equal(['x'])
  })

  it('is made where nothing is, or an empty directory', async () => {
    const dir = scratch()
    mkdirSync(join(dir, 'empty'))
    await writeTree(join(dir, 'empty/'), { a: '1' })
    expect(readFileSync(join(dir, 'empty/a'), 'utf8')).to.equal('1')
    expect(await refusal(join(dir, 'empty/'), { a: '2' })).to.include({ code: 'EEXIST' })
    writeFileSync(join(dir, 'file'), 'x')
    expect(await refusal(join(dir, 'file/'), { a: '2' })).to.include({ code: 'EEXIST' })
    expect(await refusal(join(dir, 'no/such/'), { a: '2' })).to.include({ code: 'ENOENT' })
    expect(readFileSync(join(dir, 'empty/a'), 'utf8')).to.equal('1')
    expect(readdirSync(dir).sort()).to.deep.equal(['empty', 'file'])
  })

  for (const [path, target] of [
    ['a', '/etc/passwd'],
    ['a', '..'],
    ['a/b', '../../etc'],
    ['a/b', './../x/../../etc'],
    // By way of another link, which may lead deeper, or higher, than its name says.
    ['a', 'b/../c'],
  ] as const) {
    it(`refuses the link ${path} to ${target}, which could lead out, and leaves nothing behind`, async () => {
      const dir = scratch()
      const error = await refusal(join(dir, 'x/'), { '0': 'before', [path]: { to: target } })
      expect(error).to.include({
        code: 'ENOTSUP',
        message: `${path}: a link to "${target}" could lead out of the directory`,
        hint: HINT,
      })
      expect(readdirSync(dir)).to.deep.equal([])
    })
  }

  it('takes links that stay within', async () => {
    const dir = scratch()
    const tree = { 'a/b/c': { to: '../../d' }, 'a/up': { to: '..' }, x: { to: './y//z' } }
    await writeTree(join(dir, 'x/'), tree)
    expect(readlinkSync(join(dir, 'x/a/b/c'))).to.equal('../../d')
  })

  it('takes any number of links one after another', async () => {
    const dir = scratch()
    const links = Array.from({ length: 6000 }, (_, n) => [`d/${n}`, { to: 'x' }] as const)
    await writeTree(join(dir, 'x/'), Object.fromEntries(links))
    expect(readdirSync(join(dir, 'x/d'))).to.have.lengthOf(6000)
  })

  it('refuses keys that no file system can hold, by their name', async () => {
    const dir = scratch()
    const component = 'é'.repeat(128)
    const deep = `${'d'.repeat(200)}/`.repeat(21)
    for (const [path, what] of [
      [component, 'no file name can have more than 255 bytes'],
      [`a/${component}/b`, 'no file name can have more than 255 bytes'],
      [`${deep}x`, 'no path can have more than 4095 bytes'],
    ] as const) {
      const error = await refusal(join(dir, 'x/'), { [path]: '1' })
      expect(error).to.include({ code: 'ENAMETOOLONG', pathname: path, hint: HINT })
      expect(error)
        .to.have.property('message')
        .that.matches(new RegExp(`: ${what}$`))
    }
    for (const [target, what, code] of [
      ['', 'no link can have an empty target', 'ENOTSUP'],
      ['x'.repeat(4096), 'no link can have so long a target', 'ENAMETOOLONG'],
    ] as const) {
      const error = await refusal(join(dir, 'x/'), { a: { to: target } })
      expect(error).to.include({ code, message: `a: ${what}`, hint: HINT })
    }
    const extra = { a: { 'FLUX.components': '["/"]' } }
    expect(await refusal(join(dir, 'x/'), { a: '1' }, extra)).to.include({
      code: 'ENOTSUP',
      message: 'a: no file name can hold this key',
      hint: HINT,
    })
    expect(readdirSync(dir)).to.deep.equal([])
    await writeTree(join(dir, 'x/'), { ['é'.repeat(127)]: '1', [`${deep.slice(0, 3000)}x`]: '2' })
  })

  it('does not write through a link, whoever is so confused as to ask for it', async () => {
    const dir = scratch()
    for (const tree of [
      { a: { to: 'b' }, 'a/c': '1' },
      { 'b/x': '0', a: { to: 'b' }, 'a/c': '1' },
      { a: '0', 'a/c': '1' },
    ] satisfies Tree[]) {
      expect(await refusal(join(dir, 'x/'), tree))
        .to.be.instanceOf(Error)
        .with.property('message')
        .that.includes('cannot write')
      expect(readdirSync(dir)).to.deep.equal([])
    }
  })

  it('is not there until it is complete, and never when it is given up', async () => {
    const dir = scratch()
    const archive = await createArchive(join(dir, 'x/'), { attributes: ATTRIBUTES })
    for (let n = 0; n < 3000; n++) archive.file(`d/${n}`, 1000, [Buffer.alloc(1000)])
    await archive.flush()
    expect(existsSync(join(dir, 'x'))).to.equal(false)
    await archive.abort()
    expect(readdirSync(dir)).to.deep.equal([])
  })

  it('says when a name is taken', async () => {
    const dir = scratch()
    const error = await refusal(join(dir, 'x/'), { 'a/b': '1', a: '2' })
    expect(error).to.include({ code: 'EEXIST' })
    expect(readdirSync(dir)).to.deep.equal([])
  })
})
