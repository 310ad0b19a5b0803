/** The readers of archives, each with what helps it to read a damaged one. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type FileFormat, FORMATS } from '../../../src/archive/formats/index.ts'
import { ArchiveError, createArchive } from '../../../src/archive/index.ts'
import { Input } from '../../../src/archive/input.ts'
import { Reading } from '../../../src/archive/member.ts'
import type { Source } from '../../../src/archive/source.ts'
import { fixture } from '../../support/fixtures.ts'
import { assertSame, type Target } from '../target.ts'

/** Content that is read of one input. A short archive can stand for a long one, which its user asked for. */
const MOST_CONTENT = 4 << 20
const SYSTEM_AREA = 32 << 10
const ATTRIBUTES = { mode: 0o640, uid: 1000, gid: 100, mtimeSeconds: 1_700_000_000 }

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** A file in memory, after some zeros. */
function sourceOf(bytes: Buffer, zeros: number): Source {
  const file = zeros > 0 ? Buffer.concat([Buffer.alloc(zeros), bytes]) : bytes
  const source: Pick<Source, 'name' | 'size' | 'isDirectory' | 'bytesRead' | 'chunks' | 'readAt'> = {
    name: 'x',
    size: file.length,
    isDirectory: false,
    bytesRead: 0,
    chunks: () => chunksOf(file, 1 << 16),
    // As a file does: what it has, and in a buffer of its own.
    readAt: async (offset, length) => {
      const bytes = Buffer.allocUnsafeSlow(length)
      return bytes.subarray(0, file.copy(bytes, 0, Math.min(offset, file.length), offset + length))
    },
  }
  return source as Source
}

/** What is in an archive, and how it ends. */
async function contentsOf(format: FileFormat, bytes: Buffer, chunkBytes: number, onLoss?: () => void) {
  const members: unknown[] = []
  const reading = new Reading('x', format.name, onLoss)
  const plain = new Input(chunksOf(bytes, chunkBytes))
  const salvage = onLoss && (await format.salvage?.())
  const input = salvage?.mend ? new Input(salvage.mend(plain, reading)) : plain
  try {
    const source = sourceOf(bytes, format.name === 'iso9660' ? SYSTEM_AREA : 0)
    const { readMembers } = await format.read()
    let left = MOST_CONTENT
    for await (const batch of readMembers({ input, source, reading })) {
      for (const { data, stream, path, type, size, linkname, offset } of batch) {
        let read = data?.length ?? 0
        let crc = data === undefined ? 0 : crc32(data)
        if (stream)
          for await (const chunk of stream()) {
            read += chunk.length
            crc = crc32(chunk, crc)
            if ((left -= chunk.length) < 0) break
          }
        members.push([path, type, size, linkname, offset, read, crc])
        if (left >= 0 && type === 'file') assertSame(read, size, `the size of ${path}`)
      }
      if (left < 0) break
    }
    return { members, end: '' }
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error
    assertSame(error.message.includes('\n'), false, `the message is one line: ${error.message}`)
    return { members, end: error.message }
  } finally {
    await input.close()
    await plain.close()
  }
}

/** An archive that our own writer makes. */
async function written(extension: string): Promise<Buffer> {
  const directory = mkdtempSync(join(tmpdir(), 'flux-ts-fuzz-'))
  try {
    const file = join(directory, `x${extension}`)
    await using writer = await createArchive(file, { attributes: ATTRIBUTES })
    writer.file('a/b', 700, [Buffer.alloc(700, 'text ')])
    writer.file('a/é', 0, [])
    writer.symlink('link', 'a/b', { 'FLUX.linkname': 'ns::a.b' })
    writer.file(`long/${'n'.repeat(150)}/${'m'.repeat(150)}`, 3, [Buffer.from('abc')])
    await writer.finish()
    return readFileSync(file)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function target(name: string, parts: Pick<Target, 'tokens' | 'seeds' | 'fix' | 'maxBytes'>): Target {
  const format = FORMATS.find((each) => each.name === name) as FileFormat
  return {
    name,
    // Twice a window of 1 MiB, contents of up to 1 MiB in a batch of as much, and headers of 1 MiB; three times.
    budgetBytes: 64 << 20,
    ...parts,
    async run(input) {
      const whole = await contentsOf(format, input, Math.max(1, input.length))
      if (input.length % 4 === 1) {
        const size = 1 + (crc32(input) % 700)
        assertSame(await contentsOf(format, input, size), whole, `in pieces of ${size} bytes and in one`)
      }
      await contentsOf(format, input, 1 << 16, () => {})
    },
    isExpected: (error) => error instanceof ArchiveError,
  }
}

/** Each block with the magic of a header gets its checksum. */
function fixTar(bytes: Buffer): void {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue
    bytes.fill(0x20, at + 148, at + 156)
    let sum = 0
    for (let i = 0; i < 512; i++) sum += bytes[at + i] as number
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
  }
}

const PAX = ['30 mtime=1350244992.023960108\n', '12 path=a/b\n', '20 linkpath=a/b/c/d\n', '11 size=99\n']

export const tar = target('tar', {
  maxBytes: 8192,
  tokens: [
    'ustar\x0000',
    'ustar  \0',
    ...PAX,
    'x',
    'g',
    'L',
    'K',
    'S',
    '1',
    '2',
    '5',
    '../',
    '\x80\0\0\0',
    '77777777777',
    'GNU.sparse.major=1',
  ],
  seeds: async () => {
    const tars = [readFileSync(fixture('archives', 'snapshot.tar')), await written('.tar')]
    return tars.flatMap((bytes) => [bytes.subarray(0, 8192), bytes.subarray(0, 1536), bytes.subarray(512, 2560)])
  },
  fix: fixTar,
})

export const cpio = target('cpio', {
  tokens: [
    '070707',
    '070701',
    '070702',
    '\xc7\x71',
    '\x71\xc7',
    'TRAILER!!!\0',
    '00000000',
    'ffffffff',
    '777777',
    '../',
    '\0',
  ],
  seeds: async () => {
    const newc = ['a', 'dir/b', 'TRAILER!!!'].map((name, i) => {
      const data = i === 2 ? '' : 'content'
      const fields = [
        i + 1,
        i === 2 ? 0 : 0o100644,
        1000,
        100,
        1,
        1_700_000_000,
        data.length,
        0,
        0,
        0,
        0,
        name.length + 1,
        0,
      ]
      const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
      const pad = (text: string) => text.padEnd(Math.ceil(text.length / 4) * 4, '\0')
      return pad(head) + pad(data)
    })
    return [readFileSync(fixture('archives-cpio', 'snapshot.cpio')), await written('.cpio'), Buffer.from(newc.join(''))]
  },
})

/** Members that are stored get the checksum of what they hold, in both headers. */
function fixZip(bytes: Buffer): void {
  const crcs = new Map<number, number>()
  for (
    let at = bytes.indexOf('PK\x03\x04');
    at >= 0 && at + 30 < bytes.length;
    at = bytes.indexOf('PK\x03\x04', at + 4)
  ) {
    if (bytes.readUInt16LE(at + 8) !== 0) continue
    const from = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28)
    const crc = crc32(bytes.subarray(from, from + bytes.readUInt32LE(at + 18)))
    bytes.writeUInt32LE(crc, at + 14)
    crcs.set(at, crc)
  }
  for (
    let at = bytes.indexOf('PK\x01\x02');
    at >= 0 && at + 46 < bytes.length;
    at = bytes.indexOf('PK\x01\x02', at + 4)
  ) {
    const crc = crcs.get(bytes.readUInt32LE(at + 42))
    if (crc !== undefined) bytes.writeUInt32LE(crc, at + 16)
  }
}

export const zip = target('zip', {
  tokens: [
    'PK\x01\x02',
    'PK\x03\x04',
    'PK\x05\x06',
    'PK\x06\x06',
    'PK\x06\x07',
    'PK\x07\x08',
    '\x01\0',
    'UT',
    'ux\x0b\0',
    '../',
    Buffer.from('ffffffff', 'hex'),
    Buffer.from('ffff', 'hex'),
  ],
  seeds: async () => {
    const own = await written('.zip')
    const stored = Buffer.from(
      '504b0304140000000000000000000000000003000000030000000100000061616263' +
        '504b01021403140000000000000000000000000003000000030000000100000000000000000000000000a4810000000061' +
        '504b050600000000010001002f000000220000000000',
      'hex',
    )
    fixZip(stored)
    return [readFileSync(fixture('archives', 'snapshot.zip')), own, stored]
  },
  fix: fixZip,
})

/** The image without its system area, which is all zeros, and without zeros at its end. */
function bare(image: Buffer): Buffer {
  let end = image.length
  while (end > 0 && image[end - 1] === 0) end--
  return image.subarray(SYSTEM_AREA, Math.ceil(end / 2048) * 2048)
}

export const iso9660 = target('iso9660', {
  maxBytes: 96 << 10,
  tokens: [
    '\x01CD001\x01',
    '\x02CD001\x01',
    '\xffCD001\x01',
    'NM\x05\x01\0',
    'SL\x08\x01\0\x04',
    'CE\x1c\x01',
    'CL\x0c\x01',
    'RE\x04\x01',
    'PL\x0c\x01',
    'SP\x07\x01\xbe\xef\0',
    'PX\x2c\x01',
    'TF\x1a\x01\x0e',
    'ER',
    'AA',
    'ST\x04\x01',
  ],
  seeds: async () => [bare(await written('.iso'))],
})
