/** Each figure in docs/limits.md is the constant in the sources. */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { grouped } from '../../src/errors/index.ts'

const root = new URL('../../', import.meta.url)
const text = readFileSync(new URL('docs/limits.md', root), 'utf8')

/** The rows of the tables: what is limited, and the limit. */
const rows = new Map(
  text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:what|---)/.test(line))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')) as [string, string, string])
    .map(([what, limit, beyond]) => [what, { limit, beyond }]),
)

/** The value of a constant, which is written as a number, a shift or a power. */
function constant(file: string, name: string): number {
  const source = readFileSync(new URL(`src/${file}.ts`, root), 'utf8')
  const value = new RegExp(`const ${name} = ([0-9_ <*+-]+)\n`).exec(source)?.[1]
  expect(value, `${name} in ${file}`).not.to.equal(undefined)
  return Number(new Function(`return ${value}`)())
}

const IN = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, bytes: 1 }
type Unit = keyof typeof IN

const LIMITS: [row: string, file: string, name: string, unit?: Unit][] = [
  ['values, links and directories', 'kvs/walk-limits', 'MAX_KEYS'],
  ['the same, where', 'kvs/walk-limits', 'MAX_SHARED_KEYS'],
  ['keys that `fsck --verbose`', 'kvs/walk-limits', 'MAX_KEYS'],
  ['directories, one in another (', 'kvs/walk-limits', 'MAX_DEPTH'],
  ['directories, one in another, for', 'kvs/walk-limits', 'MAX_DEPTH'],
  ['directories that `fsck`', 'inspect/fsck/check-tree', 'MAX_VISITS'],
  ['directories that `du`', 'inspect/size/size-adder', 'MAX_USAGES'],
  ['those of them', 'inspect/size/size-adder', 'MAX_USAGES_AGAIN'],
  ['links that are followed', 'kvs/lookup', 'MAX_LINKS'],
  ['levels of arrays', 'bytes/json', 'DEEPEST'],
  ['blobs of one value', 'kvs/walk-loads', 'WINDOW_BYTES', 'MiB'],
  ['characters of a line', 'errors/shorten', 'LINE'],
  ['hosts in a list', 'resource/hostlist', 'MAX_HOSTS'],
  ['of them, hosts', 'resource/hostlist', 'MAX_NAMES'],
  ['characters of their names', 'resource/hostlist', 'MAX_NAME_CHARS'],
  ['a blob of `content.files`', 'content/files/reader', 'BLOB_BYTES', 'GiB'],
  ['checkpoints of a store', 'content/checkpoint', 'MAX_CHECKPOINTS'],
  ['a checkpoint', 'content/checkpoint', 'CHECKPOINT_BYTES', 'KiB'],
  ['an LZ4 block', 'content/sqlite/pages/object-cell', 'LZ4_RATIO'],
  ['filters around each other', 'archive/open', 'MAX_FILTERS'],
  ['the headers of one member', 'archive/member', 'HEADER_BYTES', 'MiB'],
  ['records of the archive', 'archive/member', 'HEADER_BYTES', 'MiB'],
  ['a content that is read whole', 'archive/member', 'WHOLE_BYTES', 'MiB'],
  ['members in a batch', 'archive/member', 'BATCH_MEMBERS'],
  ['the directory of an ISO', 'archive/formats/iso9660/read-image', 'DIRECTORY_BYTES', 'MiB'],
  ['volume descriptors', 'archive/formats/iso9660/read-image', 'MAX_DESCRIPTORS'],
  ['hard links of a newc', 'archive/formats/cpio/reader', 'WAITING_BYTES', 'MiB'],
  ['the dictionary of xz', 'archive/filters/xz/decoder', 'MAX_DICTIONARY_BYTES', 'MiB'],
  ['a block of bzip2', 'archive/filters/bzip2/decoder', 'MAX_BLOCK_BYTES', 'bytes'],
  ['a content that salvage', 'archive/mend', 'HELD_BYTES', 'MiB'],
]

describe('docs/limits.md', () => {
  for (const [begin, file, name, unit] of LIMITS) {
    it(`says the limit of "${begin}" as it is`, () => {
      const value = constant(file, name)
      const found = [...rows].filter(([what]) => what.startsWith(begin))
      expect(found).to.have.length(1)
      const { limit, beyond } = (found[0] as (typeof found)[number])[1]
      expect(limit).to.equal(unit === undefined ? grouped(value) : `${grouped(value / IN[unit])} ${unit}`)
      // Numbers in messages are those of the limit, in one unit or another.
      const numbers = (beyond.match(/(?<![.\w])[0-9]{2,}/g) ?? []).map(Number)
      for (const number of numbers) expect([value, value / IN.MiB]).to.include(number)
    })
  }

  it('says the limits whose figure is not one number in the sources', () => {
    const framing = readFileSync(new URL('src/flux/framing.ts', root), 'utf8')
    expect(framing).to.include('MAX_MESSAGE_BYTES = 2 ** 30 + 2 ** 16')
    const others = [...rows.keys()].filter((what) => !LIMITS.some(([begin]) => what.startsWith(begin)))
    expect(others).to.deep.equal([
      'a message from a broker',
      'the window of zstd',
      'the contents of a zip that is salvaged, packed, in all',
    ])
    expect(rows.get('a message from a broker')?.limit).to.equal('1 GiB + 64 KiB')
    expect(rows.get('the window of zstd')?.limit).to.equal('128 MiB')
  })
})
