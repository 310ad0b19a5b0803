import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { scratch } from '../../../support/fixtures.ts'
import { ATTRIBUTES, isoWriter, type Member, writeIso } from '../../../support/iso9660.ts'

describe('archive/formats/iso9660 refuses', () => {
  const refused = async (members: Member[]) => {
    const dir = scratch()
    const error = await writeIso(join(dir, 'x.iso'), members).catch((e) => e)
    expect(readdirSync(dir)).to.deep.equal([])
    return error
  }

  it('a path that is in the archive already', async () => {
    expect(await refused([{ path: 'a/b' }, { path: 'c' }, { path: 'a/b' }])).to.include({
      code: 'EEXIST',
      pathname: 'a/b',
      message: 'a/b: is in the archive already',
    })
  })

  it('a path that is both a file and a directory, whichever comes first', async () => {
    expect(await refused([{ path: 'a/b/c' }, { path: 'a/b' }])).to.include({
      code: 'EISDIR',
      message: 'a/b: is a directory that other members are in',
    })
    expect(await refused([{ path: 'a/b', target: 'x' }, { path: 'a/b/c' }])).to.include({
      code: 'ENOTDIR',
      message: 'a/b/c: cannot lie under "a/b", which is no directory',
    })
  })

  it('a path with a part that is empty, a dot or two, or has a NUL', async () => {
    for (const [path, what] of [
      ['', 'a path with an empty component'],
      ['/a', 'an absolute path'],
      ['a/', 'a path with an empty component'],
      ['a//b', 'a path with an empty component'],
      ['.', 'a path with a component .'],
      ['./a', 'a path with a component .'],
      ['a/..', 'a path with a component ..'],
      ['a/../b', 'a path with a component ..'],
      ['a/.', 'a path with a component .'],
    ] as const) {
      expect(await refused([{ path: 'a/x' }, { path }]), path).to.include({
        code: 'EINVAL',
        pathname: path,
        message: `${path || '.'}: cannot be archived: ${what}`,
      })
    }
    expect(await refused([{ path: 'a\0b' }])).to.include({
      code: 'EINVAL',
      message: 'a\\x00b: cannot be archived: a path with a NUL',
    })
    expect(await refused([{ path: 'a', target: 'b\0' }])).to.include({
      code: 'EINVAL',
      message: 'a: the target of the link holds a NUL',
      hint: 'write a .tar instead, or leave it out with --exclude',
    })
  })

  it('names and targets that no reader would take', async () => {
    const long = 'a'.repeat(50_001)
    expect(await refused([{ path: long }])).to.include({ code: 'ENAMETOOLONG' })
    expect(await refused([{ path: `${long}/a` }])).to.include({ code: 'ENAMETOOLONG' })
    expect(await refused([{ path: 'a', target: 'a'.repeat(25_001) }])).to.include({ code: 'ENAMETOOLONG' })
    expect(await refused([{ path: 'a', extra: { a: long } }])).to.include({
      code: 'ENAMETOOLONG',
      message: 'a: its names take more than the 50000 bytes that readers accept',
    })
  })

  it('owners and times that it cannot say', async () => {
    for (const [part, what] of [
      [{ uid: 2 ** 32 }, 'iso9660: cannot record the id 4294967296: the largest is 4294967295'],
      [{ gid: 2 ** 32 }, 'iso9660: cannot record the id 4294967296: the largest is 4294967295'],
      [{ mtimeSeconds: 253_402_300_800 }, 'iso9660: cannot record the time 253402300800 s: years go from 1 to 9999'],
      [{ mtimeSeconds: 1e14 }, 'iso9660: cannot record the time 100000000000000 s: years go from 1 to 9999'],
    ] as const) {
      const error = await isoWriter(join(scratch(), 'x.iso'), { ...ATTRIBUTES, ...part }).catch((e) => e)
      expect(error).to.include({ code: 'EOVERFLOW', message: what })
    }
  })

  it('a value of another size than was declared', async () => {
    const file = join(scratch(), 'x.iso')
    await using writer = await isoWriter(file)
    expect(() => writer.file('a', 5, [new Uint8Array(4)])).to.throw('a: declared 5 bytes, but 4 were written')
    async function* stream() {
      yield [new Uint8Array(4)]
    }
    expect(await writer.streamFile('b', 3, stream()).catch((e) => e)).to.include({
      code: 'EIO',
      message: 'b: declared 3 bytes, but 4 were written',
    })
    expect(await writer.streamFile('c', 5, stream()).catch((e) => e)).to.include({
      message: 'c: declared 5 bytes, but 4 were written',
    })
  })
})
