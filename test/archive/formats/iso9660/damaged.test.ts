/** Images with damaged records: what is said of each. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { failure } from '../../../support/archives.ts'
import { scratch } from '../../../support/fixtures.ts'
import { writeIso } from '../../../support/iso9660.ts'

const SECTOR = 2048
const PRIMARY = 16 * SECTOR
const JOLIET = 17 * SECTOR

/** Where things are in an image. */
interface Places {
  readonly bytes: Buffer
  /** The records of the root directory, by their names: `.` is itself, and `f`, `l`, `d` and `e` are in it. */
  readonly records: Readonly<Record<string, number>>
}

/** Where the field with a signature begins in a record. */
function fieldOf({ bytes, records }: Places, name: string, signature: string): number {
  return bytes.indexOf(signature, records[name], 'latin1')
}

/** A number as RRIP writes it: both byte orders. */
function writeBoth(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value, at)
  bytes.writeUInt32BE(value, at + 4)
}

/** Put a field CE, for a continuation area, in place of the field PX of `f`. */
function continueAt(places: Places, sector: number, offset: number, length: number): void {
  const { bytes } = places
  const at = fieldOf(places, 'f', 'PX')
  bytes.write('CE\x1c\x01', at, 'latin1')
  writeBoth(bytes, sector, at + 4)
  writeBoth(bytes, offset, at + 12)
  writeBoth(bytes, length, at + 20)
  bytes.write('PD\x10\x01', at + 28, 'latin1')
}

const CASES: readonly [what: string, damage: (places: Places) => void, code: string, message: RegExp][] = [
  [
    'a descriptor that is none',
    ({ bytes }) => bytes.write('XD', JOLIET + 1),
    'EBADMSG',
    /^damaged: no volume descriptor where one should be \(at byte 34816\)$/,
  ],
  [
    'no primary volume',
    ({ bytes }) => bytes.fill(255, PRIMARY, PRIMARY + 1),
    'EBADMSG',
    /^damaged: it has no primary volume$/,
  ],
  [
    'blocks of another size',
    ({ bytes }) => bytes.writeUInt16LE(3, PRIMARY + 128),
    'EBADMSG',
    /^damaged: blocks of 3 bytes$/,
  ],
  [
    'a root that is nowhere',
    ({ bytes }) => bytes.writeUInt32LE(0, PRIMARY + 158),
    'EBADMSG',
    /^damaged: no directory where one should be \(at byte 0\)$/,
  ],
  [
    'a record that is too short',
    ({ bytes, records }) => bytes.fill(33, records.f, (records.f as number) + 1),
    'EBADMSG',
    /^\.: damaged: a directory record that does not fit \(at byte \d+\)$/,
  ],
  [
    'an interleaved file',
    ({ bytes, records }) => bytes.fill(1, (records.f as number) + 26, (records.f as number) + 27),
    'ENOTSUP',
    /^an interleaved file, which is not supported \(at byte \d+\)$/,
  ],
  [
    'a file that zisofs compresses',
    (places) => places.bytes.write('ZF', fieldOf(places, 'f', 'TF')),
    'ENOTSUP',
    /^f: is compressed by zisofs, which is not supported \(at byte \d+\)$/,
  ],
  [
    'a continuation that leads to itself',
    (places) => {
      const at = fieldOf(places, 'f', 'PX')
      continueAt(places, Math.floor(at / SECTOR), at % SECTOR, 28)
    },
    'EBADMSG',
    /^damaged: a directory record without an end \(at byte \d+\)$/,
  ],
  [
    'a continuation behind the end',
    (places) => continueAt(places, 1_000_000, 0, 100),
    'EBADMSG',
    /^truncated: the archive ends within a directory record \(at byte \d+\)$/,
  ],
  [
    'a NUL in the target of a link',
    (places) => places.bytes.fill(0, fieldOf(places, 'l', 'SL') + 7, fieldOf(places, 'l', 'SL') + 8),
    'EINVAL',
    /^l: the link target holds a NUL \(at byte \d+\)$/,
  ],
  [
    'two directories in one place',
    ({ bytes, records }) =>
      bytes.copy(bytes, (records.e as number) + 2, (records.d as number) + 2, (records.d as number) + 10),
    'EBADMSG',
    /^e: damaged: a directory within itself, or in two places \(at byte \d+\)$/,
  ],
  [
    'a name that holds a slash',
    (places) => places.bytes.write('/', fieldOf(places, 'f', 'NM') + 5),
    'EINVAL',
    /^\/: the name of a file is empty or holds a slash \(at byte \d+\)$/,
  ],
  [
    'a name in Joliet that is half of a pair',
    (places) => {
      const { bytes } = places
      // Without the field SP of the root, the names are those of Joliet.
      bytes.write('XX', fieldOf(places, '.', 'SP'))
      const root = bytes.readUInt32LE(JOLIET + 158) * SECTOR
      bytes.writeUInt16BE(0xd800, bytes.indexOf('\0f', root + 68, 'latin1'))
    },
    'EILSEQ',
    /^\ud800: the name is not UTF-16 \(at byte \d+\)$/,
  ],
]

describe('archive/formats/iso9660, damaged', () => {
  let whole: Buffer
  before(async () => {
    const file = join(scratch(), 'whole.iso')
    await writeIso(file, [
      { path: 'd/x', data: 'x' },
      { path: 'e/x', data: 'x' },
      { path: 'f', data: 'data' },
      { path: 'l', target: 'y' },
    ])
    whole = readFileSync(file)
  })

  for (const [what, damage, code, message] of CASES) {
    it(`is refused for ${what}`, async () => {
      const bytes = Buffer.from(whole)
      const records: Record<string, number> = {}
      const root = bytes.readUInt32LE(PRIMARY + 158) * SECTOR
      for (let at = root; bytes[at] !== 0; at += bytes[at] as number) {
        const name = bytes.toString('latin1', at + 33, at + 34)
        records[name === '\0' ? '.' : name.toLowerCase()] = at
      }
      damage({ bytes, records })
      const damaged = join(scratch(), 'x.iso')
      writeFileSync(damaged, bytes)
      const error = await failure(damaged)
      expect(error).to.include({ code })
      expect((error as Error).message.replace(`${damaged}: `, '')).to.match(message)
    })
  }
})
