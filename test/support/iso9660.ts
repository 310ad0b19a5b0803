/** Images written with the writer itself, and read back by other programs. */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { type ArchiveWriter, createArchive, type ExtraRecords, type MemberAttributes } from '../../src/archive/index.ts'
import { run } from './processes.ts'

export const ATTRIBUTES: MemberAttributes = { mode: 0o640, uid: 1000, gid: 100, mtimeSeconds: 1_700_000_000 }

export interface Member {
  path: string
  data?: string | Uint8Array
  target?: string
  extra?: ExtraRecords
}

/** Begin an image. */
export function isoWriter(file: string, attributes = ATTRIBUTES): Promise<ArchiveWriter> {
  return createArchive(file, { attributes })
}

/** Write an image. @returns its bytes, as the writer counts them */
export async function writeIso(file: string, members: Iterable<Member>, attributes = ATTRIBUTES): Promise<number> {
  await using writer = await isoWriter(file, attributes)
  let pending = 0
  for (const { path, data = '', target, extra } of members) {
    const bytes = Buffer.from(data)
    if (target !== undefined) writer.symlink(path, target, extra)
    else writer.file(path, bytes.length, [bytes], extra)
    if (++pending % 64 === 0) await writer.flush()
  }
  await writer.finish()
  return writer.bytes
}

export interface ReadMember {
  path: string
  type: string
  mode: number
  uid: number
  gid: number
  mtime: number
  size?: number
  sha256?: string
  link?: string
}

/** What bsdtar finds in an archive, by its listing as an mtree. Through a pipe, it cannot seek. */
export function readWithBsdtar(file: string, through: 'file' | 'pipe' = 'file'): ReadMember[] {
  const options = ['--format=mtree', '--options=!all,type,mode,uid,gid,time,size,sha256,link']
  const listing =
    through === 'file'
      ? run('bsdtar', ['-cf', '-', ...options, `@${file}`])
      : run('sh', ['-c', 'cat "$1" | bsdtar -cf - "$2" "$3" @-', 'sh', file, ...options])
  return listing
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [path = '', ...words] = line.split(' ')
      const word = (name: string) => words.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1)
      const link = word('link')
      return {
        path: decode(path).replace(/^\.\//, ''),
        type: word('type') ?? '',
        mode: Number.parseInt(word('mode') ?? '', 8),
        uid: Number(word('uid')),
        gid: Number(word('gid')),
        mtime: Number(word('time')),
        ...(word('size') === undefined ? {} : { size: Number(word('size')) }),
        ...(word('sha256digest') === undefined ? {} : { sha256: word('sha256digest') as string }),
        ...(link === undefined ? {} : { link: decode(link) }),
      }
    })
}

/** An mtree writes bytes that are not plain as `\ooo`. */
function decode(text: string): string {
  return Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    'latin1',
  ).toString()
}

/** The paths that isoinfo finds: `R` by Rock Ridge, `J` by Joliet, nothing by the plain hierarchy. */
export function isoinfoPaths(file: string, by: 'R' | 'J' | ''): string[] {
  const options = by === '' ? [] : [`-${by}`]
  return run('isoinfo', ['-f', ...options, '-i', file])
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(1))
}

/** A record of a directory, by the fields of ECMA-119 9.1. */
export interface DirectoryRecord {
  sector: number
  bytes: number
  flags: number
  identifier: Buffer
  systemUse: Buffer
}

/** An image, looked into byte by byte. */
export class IsoImage {
  readonly bytes: Buffer

  constructor(file: string | Buffer) {
    this.bytes = typeof file === 'string' ? readFileSync(file) : file
  }

  sector(n: number): Buffer {
    return this.bytes.subarray(n * 2048, (n + 1) * 2048)
  }

  /** The primary descriptor, or Joliet's. */
  descriptor(hierarchy: 'primary' | 'joliet'): Buffer {
    return this.sector(hierarchy === 'primary' ? 16 : 17)
  }

  root(hierarchy: 'primary' | 'joliet'): DirectoryRecord {
    return record(this.descriptor(hierarchy).subarray(156))
  }

  directory({ sector, bytes }: DirectoryRecord): DirectoryRecord[] {
    const records: DirectoryRecord[] = []
    for (let n = sector; n < sector + bytes / 2048; n++) {
      const data = this.sector(n)
      for (let at = 0; at < data.length && data[at] !== 0; at += data[at] as number)
        records.push(record(data.subarray(at)))
    }
    return records
  }

  /** The records of a path table, with the number of each directory's parent. */
  pathTable(
    hierarchy: 'primary' | 'joliet',
    order: 'L' | 'M',
  ): { identifier: Buffer; sector: number; parent: number }[] {
    const descriptor = this.descriptor(hierarchy)
    const from = 2048 * (order === 'L' ? descriptor.readUInt32LE(140) : descriptor.readUInt32BE(148))
    const table = this.bytes.subarray(from, from + descriptor.readUInt32LE(132))
    const records = []
    for (let at = 0; at < table.length; ) {
      const length = table[at] as number
      records.push({
        identifier: table.subarray(at + 8, at + 8 + length),
        sector: order === 'L' ? table.readUInt32LE(at + 2) : table.readUInt32BE(at + 2),
        parent: order === 'L' ? table.readUInt16LE(at + 6) : table.readUInt16BE(at + 6),
      })
      at += 8 + length + (length % 2)
    }
    return records
  }
}

function record(data: Buffer): DirectoryRecord {
  const length = data[32] as number
  const end = 33 + length + (length % 2 === 0 ? 1 : 0)
  return {
    sector: data.readUInt32LE(2),
    bytes: data.readUInt32LE(10),
    flags: data[25] as number,
    identifier: data.subarray(33, 33 + length),
    systemUse: data.subarray(end, data[0]),
  }
}

/** Assert that every record and every path table entry of a hierarchy is as ECMA-119, or Joliet, wants it. */
export function expectSound(image: IsoImage, hierarchy: 'primary' | 'joliet'): void {
  const table = image.pathTable(hierarchy, 'L')
  expect(image.pathTable(hierarchy, 'M')).to.deep.equal(table)
  const directories = [{ record: image.root(hierarchy), parent: 1, level: 1 }]
  for (const [i, { record, parent, level }] of directories.entries()) {
    if (hierarchy === 'primary') expect(level).to.be.at.most(8)
    expect(table[i]).to.include({ sector: record.sector, parent })
    if (i > 0) expect(table[i]?.identifier.equals(record.identifier)).to.equal(true)
    const [self, up, ...members] = image.directory(record)
    expect(self).to.include({ sector: record.sector, bytes: record.bytes, flags: 2 })
    expect(up).to.include({ sector: directories[parent - 1]?.record.sector, flags: 2 })
    let last = ''
    for (const member of members) {
      const text = identifierText(member, hierarchy)
      const key = sortKey(text, hierarchy)
      expect(key > last, `${JSON.stringify(text)} after ${JSON.stringify(last)}`).to.equal(true)
      last = key
      if (member.flags & 2) directories.push({ record: member, parent: i + 1, level: level + 1 })
    }
  }
  expect(table.length).to.equal(directories.length)
}

/** An identifier without its version, once it has been found to be one. */
function identifierText({ identifier, flags }: DirectoryRecord, hierarchy: 'primary' | 'joliet'): string {
  const isDirectory = (flags & 2) !== 0
  if (hierarchy === 'primary') {
    const text = identifier.toString('latin1')
    expect(text).to.match(isDirectory ? /^[A-Z0-9_]{1,8}$/ : /^[A-Z0-9_]{1,8}\.[A-Z0-9_]{0,3};1$/)
    return text.replace(/;1$/, '')
  }
  const text = Buffer.from(identifier).swap16().toString('utf16le')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
  expect(text).to.match(isDirectory ? /^[^\u0000-\u001f*/:;?\\]{1,64}$/ : /^[^\u0000-\u001f*/:;?\\]{1,64};1$/)
  return isDirectory ? text : text.slice(0, -2)
}

/** By name, then by extension, each filled up with spaces (9.3); in Joliet by the units alone. */
function sortKey(text: string, hierarchy: 'primary' | 'joliet'): string {
  if (hierarchy === 'joliet') return text
  const [name = '', extension = ''] = text.split('.')
  return name.padEnd(8) + extension.padEnd(3)
}
