import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { type ExtraRecords, type MemberAttributes, TarEncoder } from '../../../../src/archive/index.ts'
import { ChunkWriter } from '../../../../src/bytes/index.ts'
import { fixture, scratch } from '../../../support/fixtures.ts'
import { has, run } from '../../../support/processes.ts'
import { readTar } from '../../../support/read-tar.ts'

const ATTRIBUTES: MemberAttributes = { mode: 0o644, uid: 1000, gid: 100, mtimeSeconds: 1_700_000_000 }

interface Member {
  path: string
  data?: Uint8Array
  target?: string
  extra?: ExtraRecords
}

function encode(members: readonly Member[], attributes = ATTRIBUTES, recordBytes = 512): Buffer {
  const out = new ChunkWriter()
  const encoder = new TarEncoder(out, attributes, { recordBytes })
  const chunks: Uint8Array[] = []
  for (const { path, data, target, extra } of members) {
    if (target !== undefined) encoder.symlink(path, target, extra)
    else encoder.file(path, data?.length ?? 0, data ? [data] : [], extra)
    chunks.push(...out.take())
  }
  encoder.finish()
  return Buffer.concat([...chunks, ...out.take(true)])
}

/** The headers of a tar, with the blocks of extended ones, by their path; data left out. */
function headers(tar: Buffer): Map<string, Buffer[]> {
  const found = new Map<string, Buffer[]>()
  let blocks: Buffer[] = []
  let path: string | undefined
  for (let at = 0; tar[at] !== 0; ) {
    const header = tar.subarray(at, at + 512)
    const size = Number.parseInt(header.toString('latin1', 124, 135), 8)
    const end = at + 512 + Math.ceil(size / 512) * 512
    blocks.push(header)
    if (header[156] === 0x78) {
      const text = tar.subarray(at + 512, at + 512 + size)
      blocks.push(text)
      path = /(?:^|\n)\d+ path=(.*)\n/.exec(text.toString())?.[1]
    } else {
      const field = (from: number, width: number) => header.toString('utf8', from, from + width).replace(/\0.*$/s, '')
      const prefix = field(345, 155)
      found.set(path ?? (prefix === '' ? '' : `${prefix}/`) + field(0, 100), blocks)
      blocks = []
      path = undefined
    }
    at = end
  }
  return found
}

/**
 * Without what differs by intention: mtime, uid and gid, which the C tool leaves out of many members, and the checksum; nor
 * the names that an extended header stands in for, which are cut differently.
 */
function comparable(header: Buffer, _: number, member: readonly Buffer[]): string {
  const copy = Buffer.from(header)
  if (copy.length !== 512) return copy.toString('latin1')
  if (member.length > 1) copy.fill(0, 0, 100).fill(0, 345, 500)
  return copy.fill(0, 108, 124).fill(0, 136, 156).toString('latin1')
}

const name = fc
  .string({ minLength: 1, maxLength: 130, unit: fc.constantFrom(...'abc .%é日\u{1f600}') })
  .filter((s) => !/^[. ]+$/.test(s))
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))

describe('archive/formats/tar', () => {
  for (const [name, file] of [
    ['basic', 'dump.tar'],
    ['names', 'dump.tar'],
    ['values', 'dump.tgz'],
    ['archives', 'snapshot.tar'],
  ] as const) {
    it(`writes the headers that flux dump wrote for the fixture ${name}`, () => {
      const bytes = readFileSync(fixture(name, file))
      const theirs = headers(file.endsWith('.tgz') ? gunzipSync(bytes) : bytes)
      const members = readTar(fixture(name, file)).map((member) =>
        member.type === '2'
          ? { path: member.name, target: member.linkname }
          : { path: member.name, data: new Uint8Array(member.size) },
      )
      const ours = headers(encode(members))
      expect([...ours.keys()]).to.deep.equal([...theirs.keys()])
      for (const [path, blocks] of theirs) {
        expect(ours.get(path)?.map(comparable), path).to.deep.equal(blocks.map(comparable))
      }
    })
  }

  it('is read alike by Python, GNU tar and bsdtar, whatever the names, links and sizes', () => {
    const member = fc.oneof(
      fc.record({ path, data: fc.uint8Array({ maxLength: 1200 }) }),
      fc.record({
        path,
        target: fc.oneof(path, fc.constantFrom('a.b.c', 'ns::key', 'x'.repeat(100), 'x'.repeat(101))),
      }),
    )
    const dir = scratch()
    let n = 0
    fc.assert(
      fc.property(fc.uniqueArray(member, { selector: (m) => m.path, maxLength: 12 }), (members: Member[]) => {
        const file = join(dir, `${n++}.tar`)
        writeFileSync(file, encode(members))
        const wanted = members.map(({ path, target }) => `${path} ${target ?? ''}`)
        const read = readTar(file)
        expect(read.map((m) => `${m.name} ${m.linkname}`)).to.deep.equal(wanted)
        expect(read.map((m) => m.size)).to.deep.equal(members.map((m) => m.data?.length ?? 0))
        for (const m of read) expect(m).to.include({ mode: 0o644, uid: 1000, gid: 100, mtime: 1_700_000_000 })
        for (const tool of ['tar', 'bsdtar'].filter(has)) {
          const options = tool === 'tar' ? ['--quoting-style=literal'] : []
          const listed = run(tool, ['-t', ...options, '-f', file])
            .toString()
            .split('\n')
            .slice(0, -1)
          // bsdtar escapes what its locale cannot show; UTF-8 it can.
          expect(listed, tool).to.deep.equal(members.map((m) => m.path))
        }
      }),
      { numRuns: 15 },
    )
  })

  it('cuts a long path at a slash where it can, and uses an extended header where it cannot', () => {
    const types = (path: string) =>
      [...headers(encode([{ path, data: new Uint8Array() }])).values()].flat().map((h) => h[156])
    const a = 'a'.repeat(100)
    expect(types(a)).to.deep.equal([0x30])
    expect(types(`d/${a}`)).to.deep.equal([0x30])
    expect(types(`${'d'.repeat(155)}/${a}`)).to.deep.equal([0x30])
    expect(types(`${'d'.repeat(156)}/${a}`)[0]).to.equal(0x78)
    expect(types(`${a}b`)[0]).to.equal(0x78)
    expect(types('é')[0]).to.equal(0x78)
  })

  it('says the size of 8 GiB and more, in a header that no field could hold', () => {
    const out = new ChunkWriter()
    const encoder = new TarEncoder(out, ATTRIBUTES)
    encoder.beginFile('big', 9 * 2 ** 30)
    const bytes = Buffer.concat(out.take(true))
    expect(bytes.toString()).to.include('19 size=9663676416\n')
    const dir = scratch()
    const file = join(dir, 'big.tar')
    writeFileSync(file, bytes)
    const script = 'import sys,tarfile; print(tarfile.open(sys.argv[1]).next().size)'
    expect(run('python3', ['-c', script, file]).toString().trim()).to.equal('9663676416')
    expect(run('sh', ['-c', `tar tvf ${file} 2>/dev/null || true`]).toString()).to.match(/ 9663676416 .* big$/m)
    expect(() => encoder.endFile()).to.throw('big: declared 9663676416 bytes, but 0 were written')
  })

  it('says ids and times that no field could hold', () => {
    const attributes = { mode: 0o644, uid: 3_000_000_000, gid: 2_100_000, mtimeSeconds: 9_000_000_000 }
    const file = join(scratch(), 'x.tar')
    writeFileSync(file, encode([{ path: 'a' }], attributes))
    const [member] = readTar(file)
    expect(member).to.include({ uid: 3_000_000_000, gid: 2_100_000, mtime: 9_000_000_000 })
  })

  it('writes ids beyond six digits into the field as long as it holds them', () => {
    const file = join(scratch(), 'x.tar')
    writeFileSync(file, encode([{ path: 'a' }], { ...ATTRIBUTES, uid: 0o7777777, gid: 262_144 }))
    expect(readTar(file)[0]).to.deep.include({ uid: 0o7777777, gid: 262_144, pax: {} })
  })

  it('carries further records beside a member', () => {
    const file = join(scratch(), 'x.tar')
    writeFileSync(file, encode([{ path: 'a', extra: { 'FLUX.components': '["a/b","é"]' } }, { path: 'b' }]))
    expect(readTar(file).map((m) => m.pax)).to.deep.equal([{ 'FLUX.components': '["a/b","é"]' }, {}])
  })

  it('is two zero blocks when there is nothing in it, filled up to a record when it is a stream', () => {
    expect(encode([])).to.deep.equal(Buffer.alloc(1024))
    expect(encode([{ path: 'a' }], ATTRIBUTES, 10_240).length).to.equal(10_240)
    expect(encode([{ path: 'a', data: new Uint8Array(10_000) }], ATTRIBUTES, 10_240).length).to.equal(20_480)
  })

  it('refuses names and records that no reader would take', () => {
    const long = 'x'.repeat(1 << 20)
    for (const member of [{ path: long }, { path: 'a', target: long }, { path: 'a', extra: { long } }]) {
      expect(() => encode([member])).to.throw('its names take more than the 1048576 bytes that readers accept')
    }
    encode([{ path: long.slice(100) }])
  })

  it('refuses a value of another size than was declared', () => {
    const encoder = new TarEncoder(new ChunkWriter(), ATTRIBUTES)
    expect(() => encoder.file('a', 5, [new Uint8Array(4)])).to.throw('a: declared 5 bytes, but 4 were written')
    encoder.beginFile('b', 3)
    expect(() => encoder.data(new Uint8Array(4))).to.throw('b: declared 3 bytes, but 4 were written')
  })
})
