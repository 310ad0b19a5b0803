import { closeSync, openSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Image } from '../../../../src/archive/formats/iso9660/image.ts'
import { MemberTree } from '../../../../src/archive/formats/iso9660/tree.ts'
import { scratch } from '../../../support/fixtures.ts'
import {
  ATTRIBUTES,
  expectSound,
  IsoImage,
  isoinfoPaths,
  type Member,
  readWithBsdtar,
  writeIso,
} from '../../../support/iso9660.ts'
import { has, run } from '../../../support/processes.ts'

const deep = (levels: number, prefix = 'level') => Array.from({ length: levels }, (_, i) => `${prefix}${i}`).join('/')

async function image(members: Iterable<Member>): Promise<{ file: string; bytes: IsoImage }> {
  const file = join(scratch(), 'x.iso')
  await writeIso(file, members)
  return { file, bytes: new IsoImage(file) }
}

/** Paths of all that is no directory, as bsdtar finds them in a pipe. */
const paths = (file: string) =>
  readWithBsdtar(file, 'pipe')
    .filter(({ type }) => type !== 'dir')
    .map(({ path }) => path)
    .sort()

const text = (buffer: Buffer) => buffer.toString('latin1')

describe('archive/formats/iso9660 at its limits', () => {
  describe('directories deeper than eight levels', () => {
    it('are moved as Rock Ridge says, as often as it takes, and found where they were', async () => {
      const members = [
        { path: `${deep(60)}/value`, data: 'deep' },
        { path: `${deep(20)}/value`, data: 'less so' },
        { path: `${deep(20)}/other/way/${deep(30, 'down')}/value`, data: 'beside' },
        { path: `a/${deep(60)}/value`, data: 'again' },
        { path: 'flat', data: 'flat' },
      ]
      const { file, bytes } = await image(members)
      expect(paths(file)).to.deep.equal(members.map(({ path }) => path).sort())
      expect(readWithBsdtar(file).map(({ path }) => path)).not.to.include('rr_moved')
      for (const { path, data } of members) expect(text(run('bsdtar', ['-xOf', file, path]))).to.equal(data)
      expectSound(bytes, 'primary')
      expectSound(bytes, 'joliet')
    })

    it('are not moved from the eighth level, and are from the ninth', async () => {
      const moved = async (path: string) => {
        const { bytes } = await image([{ path }])
        return bytes.directory(bytes.root('primary')).some(({ identifier }) => text(identifier) === 'RR_MOVED')
      }
      expect(await moved(`${deep(7)}/value`)).to.equal(false)
      expect(await moved(`${deep(8)}/value`)).to.equal(true)
    })

    it('leave a CL where they were, and have a PL and an RE where they are (RRIP 4.1.5)', async () => {
      const { bytes } = await image([{ path: `${deep(8)}/value` }])
      const find = (directory: ReturnType<IsoImage['root']>, name: string) => {
        const found = bytes.directory(directory).find(({ identifier }) => text(identifier) === name)
        if (found === undefined) throw new Error(`no ${name}`)
        return found
      }
      const at = (n: number) => {
        const both = Buffer.alloc(8)
        both.writeUInt32LE(n, 0)
        both.writeUInt32BE(n, 4)
        return text(both)
      }
      let parent = bytes.root('primary')
      for (let i = 0; i < 7; i++) parent = find(parent, `LEVEL${i}`)
      const rrMoved = find(bytes.root('primary'), 'RR_MOVED')
      const moved = find(rrMoved, 'LEVEL7')
      const placeholder = find(parent, 'LEVEL7.;1')
      expect(placeholder.flags).to.equal(0)
      expect(text(placeholder.systemUse))
        .to.include(`CL\x0c\x01${at(moved.sector)}`)
        .and.include('NM\x0b\x01\0level7')
      expect(text(moved.systemUse)).to.include('RE\x04\x01')
      expect(text(rrMoved.systemUse)).to.include('RE\x04\x01').and.include('NM\x0d\x01\0rr_moved')
      const [self, up] = bytes.directory(moved)
      expect(text(up?.systemUse as Buffer)).to.include(`PL\x0c\x01${at(parent.sector)}`)
      expect(text(self?.systemUse as Buffer)).not.to.include('PL')
    })

    it('go into a directory of the same name that is there, or get another name for it', async () => {
      const tooDeep = `${deep(15)}/value`
      for (const members of [
        ['rr_moved/level7/mine', 'rr_moved/level7.x/mine', tooDeep],
        ['rr_moved', tooDeep],
        ['rr_moved', '.rr_moved/mine', tooDeep],
        ['rr_moved/mine', '.rr_moved/mine', `rr_moved/${deep(20)}/value`, tooDeep],
      ]) {
        const { file } = await image(members.map((path) => ({ path })))
        expect(paths(file)).to.deep.equal(members.toSorted())
      }
      const none = ['rr_moved', '.rr_moved', tooDeep].map((path) => ({ path }))
      expect(await image(none).catch((e) => e)).to.include({
        code: 'EEXIST',
        message: 'rr_moved: an image with directories this deep needs a directory of that name, which is a member',
      })
    })

    it('keep their long names', async () => {
      const path = `${Array.from({ length: 20 }, (_, i) => String(i).padEnd(255, 'n')).join('/')}/value`
      const { file, bytes } = await image([{ path }])
      expect(paths(file)).to.deep.equal([path])
      expectSound(bytes, 'primary')
    })
  })

  describe('names', () => {
    it('of any length are whole in Rock Ridge, and shortened to different ones in Joliet', async () => {
      const long = 'n'.repeat(250)
      const names = [64, 65, 105, 106, 107, 200, 245, 246, 255].map((length) => 'l'.repeat(length))
      names.push(...Array.from({ length: 50 }, (_, i) => `${long}${i}`), 'é'.repeat(127), `${'\u{1f600}'.repeat(40)}x`)
      const { file, bytes } = await image(names.map((path) => ({ path })))
      expect(paths(file)).to.deep.equal(names.toSorted())
      expect(isoinfoPaths(file, 'R').toSorted()).to.deep.equal(names.toSorted())
      const joliet = bytes.directory(bytes.root('joliet')).map(({ identifier }) => text(identifier))
      expect(new Set(joliet).size).to.equal(names.length + 2)
      expect(joliet).to.include(text(Buffer.from(`${'n'.repeat(61)}~49;1`, 'utf16le').swap16()))
      // Half of a pair is not left at the end.
      expect(joliet).to.include(text(Buffer.from(`${'\u{1f600}'.repeat(32)};1`, 'utf16le').swap16()))
      expectSound(bytes, 'joliet')
    })

    it('beyond a sector go through many continuation areas', async () => {
      const names = ['a', 'b'].map((letter) => letter.repeat(20_000))
      const members = [...names.map((path) => ({ path, data: 'x' })), { path: 'd/x', target: 'y'.repeat(24_000) }]
      const { file } = await image(members)
      expect(paths(file)).to.deep.equal([...names, 'd/x'])
      expect(readWithBsdtar(file).find(({ type }) => type === 'link')?.link).to.equal('y'.repeat(24_000))
    })

    it('in Joliet have underscores for what it does not allow', async () => {
      const { bytes } = await image(['a*b', 'a?b', 'a:b', 'a;1', 'a\\b', 'a\u0007b'].map((path) => ({ path })))
      const joliet = bytes.directory(bytes.root('joliet')).map(({ identifier }) => text(identifier))
      const units = (name: string) => text(Buffer.from(name, 'utf16le').swap16())
      expect(joliet.slice(2)).to.deep.equal(['a_1;1', 'a_b;1', 'a_b~1;1', 'a_b~2;1', 'a_b~3;1', 'a_b~4;1'].map(units))
    })

    it('in the plain hierarchy are 8.3, numbered where two are alike', async () => {
      const names = [
        'eventlog',
        'Eventlog',
        'EVENTLOG.x/y',
        'eventlogs',
        '.rc',
        '..rc',
        'a.b.c',
        'a.html',
        'a.htm',
        '日本',
      ]
      const { file, bytes } = await image(names.map((path) => ({ path })))
      expect(isoinfoPaths(file, '').toSorted()).to.deep.equal(
        [
          'A.HT;1'.replace('HT', 'HTM'),
          'A001.HTM;1',
          'A_B.C;1',
          'EVENT001.;1',
          'EVENT002',
          'EVENT002/Y.;1',
          'EVENT003.;1',
          'EVENTLOG.;1',
          '_.RC;1',
          '_RC.;1',
          '__.;1',
        ].toSorted(),
      )
      expectSound(bytes, 'primary')
    })

    it('are told apart by thousands in one directory', async () => {
      const names = Array.from({ length: 20_000 }, (_, i) => `${'the same beginning '.repeat(4)}${i}`)
      const { file, bytes } = await image(names.map((path) => ({ path: `d/${path}` })))
      expect(paths(file)).to.have.length(20_000)
      expectSound(bytes, 'primary')
      expectSound(bytes, 'joliet')
    })
  })

  it('holds more directories than path tables can number, and ends the tables where they cannot go on', async () => {
    const members: Member[] = []
    for (let i = 0; i < 65_536; i++) members.push({ path: `d/${i.toString(16)}${i > 65_500 ? '/under' : ''}/x` })
    const { file, bytes } = await image(members)
    expect(paths(file)).to.deep.equal(members.map(({ path }) => path).sort())
    for (const hierarchy of ['primary', 'joliet'] as const) {
      const table = bytes.pathTable(hierarchy, 'L')
      expect(bytes.pathTable(hierarchy, 'M')).to.deep.equal(table)
      // The root, `d`, those in it, and what is in those with a number of 16 bits.
      expect(table.length).to.be.within(2 + 65_536 + 1, 2 + 65_536 + 34)
      expect(table.at(-1)?.parent).to.equal(65_535)
      for (const { parent } of table.slice(2, 65_538)) expect(parent).to.equal(2)
    }
  })

  it('describes a file of more than 4 GiB by several records', async () => {
    const tree = new MemberTree()
    const bytes = 9 * 2 ** 30 + 5
    tree.file('a', 1)
    tree.file('big', bytes)
    tree.file('c', 3)
    const layout = await Image.of(tree, ATTRIBUTES)
    const file = join(scratch(), 'x.iso')
    const fd = openSync(file, 'w')
    for (const chunk of layout.head()) writeSync(fd, chunk)
    closeSync(fd)
    const head = new IsoImage(file)
    const records = head.directory(head.root('primary')).filter(({ identifier }) => text(identifier) === 'BIG.;1')
    const section = 2 ** 32 - 2048
    const [first] = records
    expect(records.map(({ flags }) => flags)).to.deep.equal([0x80, 0x80, 0])
    expect(records.map((record) => record.bytes)).to.deep.equal([section, section, bytes - 2 * section])
    expect(records.map(({ sector }) => sector - (first?.sector ?? 0))).to.deep.equal([
      0,
      section / 2048,
      (2 * section) / 2048,
    ])
    // The data are holes.
    truncateSync(file, layout.sectors * 2048)
    const listed = text(run('bsdtar', ['-tvf', file]))
    expect(listed)
      .to.match(/ 9663676421 .* big\n/)
      .and.match(/ 3 .* c\n/)
    expect(text(run('isoinfo', ['-R', '-l', '-i', file]))).to.match(/ 3 .*\] +c $/m)
    if (has('7z')) expect(text(run('7z', ['l', file]))).to.match(/ 9663676421 +9663676421 +big\n/)
  })

  it('refuses more data than it can say the position of', () => {
    const tree = new MemberTree()
    tree.file('a', 3 * 2 ** 40)
    expect(() => tree.file('b', 2 ** 40)).to.throw('b: its 1099511627776 bytes are more than are left')
  })
})
