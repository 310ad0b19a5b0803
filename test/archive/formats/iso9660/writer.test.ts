import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { scratch } from '../../../support/fixtures.ts'
import {
  ATTRIBUTES,
  expectSound,
  IsoImage,
  isoinfoPaths,
  isoWriter,
  type Member,
  type ReadMember,
  readWithBsdtar,
  writeIso,
} from '../../../support/iso9660.ts'
import { has, run } from '../../../support/processes.ts'

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

const byPath = (a: { path: string }, b: { path: string }) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))

/** What a reader must find of the members. */
function wanted(members: readonly Member[], mtime = ATTRIBUTES.mtimeSeconds): ReadMember[] {
  const { mode, uid, gid } = ATTRIBUTES
  return members
    .map(({ path, data = '', target }) => ({
      path,
      mode,
      uid,
      gid,
      mtime,
      ...(target === undefined
        ? { type: 'file', size: Buffer.from(data).length, sha256: sha256(data) }
        : { type: 'link', link: target }),
    }))
    .sort(byPath)
}

const notDirectories = (read: readonly ReadMember[]) => read.filter(({ type }) => type !== 'dir').sort(byPath)

const TREE: Member[] = [
  { path: 'admin/eventlog', data: 'one\n' },
  { path: 'job/0000/0007/c400/0000/eventlog', data: 'two\n' },
  { path: 'job/0000/0007/c400/0000/guest/exec/eventlog', data: 'x'.repeat(5000) },
  { path: 'job/0000/0007/c400/0000/guest/exec/guest.link', target: 'a.b.c' },
  { path: 'empty' },
  { path: '.hidden/with space', data: 'h' },
  { path: 'näme/日本語', data: 'u' },
]

const deep = (levels: number, prefix = 'level') => Array.from({ length: levels }, (_, i) => `${prefix}${i}`).join('/')

describe('archive/formats/iso9660', () => {
  it('is read by bsdtar with contents, modes, owners, times and links, from a file and from a pipe', async () => {
    const file = join(scratch(), 'x.iso')
    const bytes = await writeIso(file, TREE)
    expect(readFileSync(file).length).to.equal(bytes)
    for (const through of ['file', 'pipe'] as const) {
      const read = readWithBsdtar(file, through)
      expect(notDirectories(read)).to.deep.equal(wanted(TREE))
      const directories = read.filter(({ type }) => type === 'dir')
      expect(directories.map(({ path }) => path)).to.include.members(['.', 'job/0000/0007', 'näme'])
      for (const directory of directories) {
        expect(directory).to.include({ mode: 0o755, uid: 1000, gid: 100, mtime: ATTRIBUTES.mtimeSeconds })
      }
    }
  })

  it('is read by isoinfo in all three hierarchies', async () => {
    const file = join(scratch(), 'x.iso')
    await writeIso(file, TREE)
    const members = TREE.map(({ path }) => path)
    expect(isoinfoPaths(file, 'R')).to.include.members(members)
    // It shows Joliet in 8-bit character sets alone.
    const ascii = members.filter((path) => !path.startsWith('n'))
    expect(isoinfoPaths(file, 'J')).to.include.members(ascii.map((path) => `${path};1`))
    expect(isoinfoPaths(file, '')).to.include.members([
      'ADMIN/EVENTLOG.;1',
      'EMPTY.;1',
      'JOB/0000/0007/C400/0000/GUEST/EXEC/GUEST.LIN;1',
      'N_ME/___.;1',
      '_HIDDEN/WITH_SPA.;1',
    ])
    expect(run('isoinfo', ['-R', '-i', file, '-x', '/job/0000/0007/c400/0000/eventlog']).toString()).to.equal('two\n')
    expect(run('isoinfo', ['-i', file, '-x', '/ADMIN/EVENTLOG.;1']).toString()).to.equal('one\n')
    const long = run('isoinfo', ['-R', '-l', '-i', file]).toString()
    // Owner and group are in octal.
    expect(long).to.match(/^-rw-r----- +1 +1750 +144 +5000 Nov 14 2023 .* eventlog $/m)
    expect(long).to.match(/^lrw-r----- .* guest\.link -> a\.b\.c$/m)
    const about = run('isoinfo', ['-d', '-i', file]).toString()
    expect(about).to.include('Volume id: CDROM')
    expect(about).to.include('Joliet with UCS level 3 found')
    expect(about).to.include('Rock Ridge signatures version 1 found')
  })

  it('is unpacked by 7z', async function () {
    if (!has('7z')) this.skip()
    const dir = scratch()
    const file = join(dir, 'x.iso')
    await writeIso(file, TREE)
    expect(run('7z', ['l', file]).toString()).to.include(' 7 files, 10 folders')
    run('7z', ['x', `-o${join(dir, 'out')}`, file])
    for (const { path, data = '', target } of TREE) {
      // By Joliet, which has no links.
      expect(readFileSync(join(dir, 'out', path), 'utf8'), path).to.equal(target === undefined ? data : '')
    }
  })

  it('is unpacked by bsdtar as it was', async () => {
    const dir = scratch()
    const file = join(dir, 'x.iso')
    const path = `${deep(40)}/value`
    await writeIso(file, [...TREE, { path, data: 'deep' }])
    const out = join(dir, 'out')
    mkdirSync(out)
    run('bsdtar', ['-xf', file, '-C', out])
    for (const { path, data = '', target } of TREE) {
      if (target === undefined) expect(readFileSync(join(out, path), 'utf8')).to.equal(data)
      else expect(readlinkSync(join(out, path))).to.equal(target)
    }
    expect(readFileSync(join(out, path), 'utf8')).to.equal('deep')
    expect(readdirSync(out).sort()).to.deep.equal(['.hidden', 'admin', 'empty', 'job', 'level0', 'näme'])
  })

  it('loses nothing, whatever the names, links, contents and depths', async () => {
    const part = fc.oneof(
      fc.string({
        minLength: 1,
        maxLength: 20,
        unit: fc.constantFrom(...'abAB12 ._-~+;:*?"<>|\\%é日\u{1f600}\n\t\u0001'),
      }),
      fc.constantFrom(
        'x'.repeat(64),
        'x'.repeat(65),
        'x'.repeat(120),
        'x'.repeat(255),
        'é'.repeat(127),
        'name.ext',
        'NAME.EXT',
      ),
    )
    const name = part.filter((text) => text !== '.' && text !== '..')
    const path = fc.array(name, { minLength: 1, maxLength: 16 }).map((parts) => parts.join('/'))
    const target = fc.oneof(
      path,
      fc.constantFrom(
        'a.b.c',
        'ns::key',
        '/',
        '//',
        '/a',
        '//a',
        'a/',
        'a//b',
        '.',
        '..',
        '../../x/./y',
        'x'.repeat(1000),
      ),
      fc
        .array(fc.constantFrom('', '.', '..', 'a', 'b'.repeat(119)), { minLength: 2, maxLength: 300 })
        .map((parts) => parts.join('/')),
    )
    const member = fc.oneof(
      { weight: 3, arbitrary: fc.record({ path, data: fc.uint8Array({ maxLength: 5000 }) }) },
      fc.record({ path, target: target.filter((text) => text !== '') }),
    )
    // Many cases in one image, each in a directory of its own: processes cost more than members.
    const cases = fc.array(fc.array(member, { maxLength: 12 }), { minLength: 20, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(cases, async (lists: Member[][]) => {
        const members: Member[] = []
        for (const [i, list] of lists.entries()) {
          const files = new Set<string>()
          const directories = new Set<string>()
          for (const each of list) {
            const parents = each.path.split('/').map((_, at, parts) => parts.slice(0, at).join('/'))
            if (files.has(each.path) || directories.has(each.path) || parents.some((parent) => files.has(parent)))
              continue
            files.add(each.path)
            for (const parent of parents) directories.add(parent)
            members.push({ ...each, path: `case ${i}/${each.path}` })
          }
        }
        const file = join(scratch(), 'x.iso')
        await writeIso(file, members)
        expect(notDirectories(readWithBsdtar(file, 'pipe'))).to.deep.equal(wanted(members))
        for (const hierarchy of ['primary', 'joliet'] as const) expectSound(new IsoImage(file), hierarchy)
      }),
      { numRuns: 8 },
    )
  })

  it('is the same bytes each time', async () => {
    const dir = scratch()
    await writeIso(join(dir, '1.iso'), TREE)
    await writeIso(join(dir, '2.iso'), TREE)
    expect(readFileSync(join(dir, '1.iso')).equals(readFileSync(join(dir, '2.iso')))).to.equal(true)
  })

  it('is a root directory when there is nothing in it', async () => {
    const file = join(scratch(), 'x.iso')
    await writeIso(file, [])
    expect(readWithBsdtar(file, 'pipe').map(({ path, type }) => `${type} ${path}`)).to.deep.equal(['dir .'])
    expect(isoinfoPaths(file, 'R')).to.deep.equal([])
    expect(isoinfoPaths(file, 'J')).to.deep.equal([])
  })

  it('holds empty files apart', async () => {
    const file = join(scratch(), 'x.iso')
    const members = Array.from({ length: 100 }, (_, i) => ({ path: `d/${i}`, data: i % 3 === 0 ? 'x' : '' }))
    await writeIso(file, members)
    expect(notDirectories(readWithBsdtar(file))).to.deep.equal(wanted(members))
  })

  it('takes a value piece by piece, of more than is held at once', async () => {
    const file = join(scratch(), 'x.iso')
    const piece = Buffer.alloc(700_001, 'piece')
    async function* stream() {
      for (let i = 0; i < 5; i++) yield [piece, Buffer.from(String(i))]
    }
    const whole = Buffer.concat([0, 1, 2, 3, 4].flatMap((i) => [piece, Buffer.from(String(i))]))
    await using writer = await isoWriter(file)
    writer.file('a', 1, [Buffer.from('a')])
    await writer.streamFile('big', whole.length, stream())
    writer.file('z', 1, [Buffer.from('z')])
    await writer.finish()
    const members = [
      { path: 'a', data: 'a' },
      { path: 'big', data: whole },
      { path: 'z', data: 'z' },
    ]
    expect(notDirectories(readWithBsdtar(file, 'pipe'))).to.deep.equal(wanted(members))
  })

  it('says times before 1970 and up to 2155', async () => {
    for (const mtimeSeconds of [0, -86_400, 5_869_583_999]) {
      const file = join(scratch(), 'x.iso')
      await writeIso(file, [{ path: 'a' }], { ...ATTRIBUTES, mtimeSeconds })
      expect(notDirectories(readWithBsdtar(file)), String(mtimeSeconds)).to.deep.equal(
        wanted([{ path: 'a' }], mtimeSeconds),
      )
    }
  })

  it('shows no file but its own while it is written, and none when it is given up', async () => {
    const dir = scratch()
    const writer = await isoWriter(join(dir, 'x.iso'))
    for (let i = 0; i < 3; i++) {
      writer.file(String(i), 2 ** 20, [new Uint8Array(2 ** 20)])
      await writer.flush()
    }
    expect(readdirSync(dir)).to.have.length(1)
    await writer.abort()
    await writer.abort()
    expect(readdirSync(dir)).to.deep.equal([])
  })
})
