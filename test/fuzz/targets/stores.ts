/** Files that hold blobs, and are read without SQLite. */
import { hash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { compareChecksum, removeOlderChecksum } from '../../../src/archive/checksum-file.ts'
import { parseJson } from '../../../src/bytes/index.ts'
import { decodeCheckpoint } from '../../../src/content/checkpoint.ts'
import { encodeCheckpoint, PackWriter } from '../../../src/content/index.ts'
import { openReader as openPackReader } from '../../../src/content/pack/reader.ts'
import type { BlobReader } from '../../../src/content/packed-batch.ts'
import { openReader as openPagesReader } from '../../../src/content/sqlite/pages/reader.ts'
import { FluxError } from '../../../src/errors/index.ts'
import { sample } from '../../support/decoding.ts'
import { fixture } from '../../support/fixtures.ts'
import { openRows, rowOf } from '../../support/raw-rows.ts'
import { assertSame, type Target } from '../target.ts'

const CHECKPOINT = { rootref: `sha1-${'0'.repeat(40)}`, timestamp: 1_700_000_000, sequence: 0 }
const MOST_BYTES = 4 << 20
const EMPTY_SHA256 = hash('sha256', '', 'hex')

/** In memory where that is possible: each input is a file. */
const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'flux-ts-fuzz-'))
const file = join(directory, 'x')
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

/** Ask a reader for everything that it has. */
function readAll(reader: BlobReader): void {
  try {
    reader.checkpoints()
    const digests = reader.list(0, 1000)
    const count = Math.min(1000, reader.objects ?? 0)
    const batch = reader.readBatch(digests, count, MOST_BYTES, MOST_BYTES)
    assertSame(batch.status.length, count, 'an answer for each blob')
    const width = reader.hash === 'sha1' ? 20 : 32
    reader.sizes(digests, count)
    reader.checkRange(0, count, false)
    reader.mark(digests, count)
    reader.totals(new Float64Array(8) as never)
    for (let i = 0; i < Math.min(3, count); i++) {
      const stream = reader.openStream(digests.subarray(i * width, (i + 1) * width))
      if ('status' in stream) continue
      let bytes = 0
      for (let piece = stream.next(); piece && bytes < MOST_BYTES; piece = stream.next()) bytes += piece.length
      stream.close()
    }
  } finally {
    reader.close()
  }
}

function packOf(blobs: readonly Buffer[]): Buffer {
  rmSync(file, { force: true })
  using writer = new PackWriter(file, 'sha1')
  writer.storeBatch(blobs)
  writer.finish()
  return readFileSync(file)
}

export const packs: Target = {
  name: 'packs',
  budgetBytes: 32 << 20,
  tokens: [
    'flux-ts pack 2\0\0',
    'sha1\0\0\0\0',
    'sha256\0\0',
    Buffer.from(Float64Array.of(1).buffer),
    Buffer.from(Float64Array.of(-1).buffer),
    Buffer.from(Float64Array.of(1.5).buffer),
    Buffer.from(Float64Array.of(Number.NaN).buffer),
    Buffer.from(Float64Array.of(1e300).buffer),
  ],
  seeds: () => [packOf([]), packOf([Buffer.from('a')]), packOf([Buffer.alloc(0), sample(300), Buffer.from('b')])],
  // The checksum of the tables, which are as long as the number of blobs says.
  fix(bytes) {
    const end = bytes.length - 48
    if (end < 0) return
    const blobs = bytes.readDoubleLE(end + 24)
    const from = end - blobs * (20 + 12)
    if (from >= 0 && from <= end) bytes.writeUInt32LE(crc32(bytes.subarray(from, end)), end + 40)
  },
  run(input) {
    writeFileSync(file, input)
    readAll(openPackReader({ path: file, name: 'x', verify: input.length % 2 === 0, checkpoints: [CHECKPOINT] }))
  },
  isExpected: (error) => error instanceof FluxError,
}

/** The text of a checkpoint, as every kind of store has it. */
export const checkpoints: Target = {
  name: 'checkpoints',
  budgetBytes: 1 << 20,
  maxBytes: 512,
  tokens: [
    '"version":',
    '"rootref":"',
    'sha1-',
    'sha256-',
    '"timestamp":',
    '"sequence":',
    '1e400',
    '9007199254740993',
    'null',
    '-1',
  ],
  seeds: () =>
    [
      `"${CHECKPOINT.rootref}"`,
      JSON.stringify({ version: 0, rootref: CHECKPOINT.rootref }),
      encodeCheckpoint(CHECKPOINT),
    ].map((text) => Buffer.from(text)),
  run(input) {
    const checkpoint = decodeCheckpoint(parseJson(input.toString()), 'x')
    if (checkpoint.sequence < 0) return
    assertSame(
      decodeCheckpoint(parseJson(encodeCheckpoint(checkpoint)), 'x'),
      checkpoint,
      'a checkpoint written and read',
    )
  },
  isExpected: (error) => error instanceof FluxError || error instanceof SyntaxError,
}

/** The checksum file beside an archive of no bytes. */
export const checksums: Target = {
  name: 'checksums',
  share: 0.25,
  budgetBytes: 4 << 20,
  maxBytes: 2048,
  tokens: [EMPTY_SHA256, '  x\n', ' *x\n', '\\', '\n', '\r', '#'],
  seeds: () =>
    [`${EMPTY_SHA256}  x\n`, `\\${EMPTY_SHA256}  x\n`, `${EMPTY_SHA256} *x\n`].map((text) => Buffer.from(text)),
  async run(input) {
    writeFileSync(file, '')
    writeFileSync(`${file}.sha256`, input)
    const result = await compareChecksum(file)
    assertSame([result?.found, result?.recorded.length], [EMPTY_SHA256, 64], 'the checksum of no bytes')
    await removeOlderChecksum(file)
    // Only a line that sha256sum writes for this name is removed.
    const isLine = /^[0-9a-f]{64} [ *]x\n$/.test(input.toString())
    assertSame(existsSync(`${file}.sha256`), !isLine, 'the older checksum stays')
  },
  isExpected: (error) => error instanceof FluxError,
}

/** What lies beside a database. */
const BESIDE = ['', '-wal', '-journal'] as const
const HEAD_BYTES = 4

/** An input of {@link pages}: what lies beside the database, where that begins in the rest, and both. */
function pagesInput(beside: number, database: Buffer, log: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head[0] = beside
  head.writeUIntLE(database.length, 1, 3)
  return Buffer.concat([head, database, log])
}

/** A database of small pages, and its log if it has one. */
function database(beside: number): Buffer {
  removeFiles()
  const rows = ['{"data":{},"type":"dir","ver":1}', sample(300), sample(1500), 'value'].map((blob) =>
    rowOf(Buffer.from(blob)),
  )
  const checkpoints = [JSON.stringify({ version: 1, rootref: CHECKPOINT.rootref, timestamp: 1.5, sequence: 2 })]
  const pragmas = beside === 1 ? 'PRAGMA journal_mode = WAL;' : ''
  const db = openRows(file, rows, { pageBytes: 512, checkpoints, pragmas })
  try {
    db.exec("BEGIN; DELETE FROM objects WHERE rowid = 2; UPDATE checkpt_v2 SET value = value || ' '")
    // A small cache makes SQLite write pages before the transaction ends, and their old content to the journal first.
    if (beside === 2) db.exec('PRAGMA cache_spill = 1; PRAGMA cache_size = 1; UPDATE objects SET epoch = 5')
    if (beside === 1) db.exec('COMMIT')
    const log = beside === 0 || !existsSync(file + BESIDE[beside]) ? undefined : readFileSync(file + BESIDE[beside])
    return pagesInput(beside, readFileSync(file), log)
  } finally {
    db.close()
    removeFiles()
  }
}

function removeFiles(): void {
  for (const suffix of [...BESIDE, '-shm']) rmSync(file + suffix, { force: true })
}

export const pages: Target = {
  name: 'pages',
  share: 0.25,
  budgetBytes: 64 << 20,
  maxBytes: 12 << 10,
  tokens: [
    'SQLite format 3\0',
    '"rootref"',
    'kvs-primary',
    '{"rootref":"sha1-',
    Buffer.from('0d0000', 'hex'),
    Buffer.from('377f0682', 'hex'),
    Buffer.from('d9d505f920a163d7', 'hex'),
  ],
  seeds: () => [
    ...BESIDE.map((_, beside) => database(beside)),
    pagesInput(0, readFileSync(fixture('archives', 'content.sqlite'))),
    pagesInput(0, readFileSync(fixture('checkpoints', 'content.sqlite'))),
  ],
  run(input) {
    if (input.length < HEAD_BYTES) return
    const beside = BESIDE[(input[0] as number) % BESIDE.length] as string
    const at = HEAD_BYTES + input.readUIntLE(1, 3)
    for (const suffix of BESIDE.slice(1)) if (suffix !== beside && existsSync(file + suffix)) rmSync(file + suffix)
    if (beside !== '') writeFileSync(file + beside, input.subarray(at))
    writeFileSync(file, input.subarray(HEAD_BYTES, beside === '' ? input.length : at))
    readAll(openPagesReader({ path: file, name: 'x', verify: true }))
  },
  isExpected: (error) => error instanceof FluxError,
}
