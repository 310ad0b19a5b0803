/** Writes one Parquet file, row group by row group. */
import { writeSync } from 'node:fs'
import { zstdCompressSync } from 'node:zlib'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { columnsOf, type ParquetRow, SCHEMA } from './schema.ts'

/** The key of the version in the metadata of a file. */
export const VERSION_KEY = 'flux-ts.schema'

/** Raised with every change of the columns. Columns that an older file lacks are empty. */
export const SCHEMA_VERSION = 1

/** A row group is written when it has this many rows, or about this many characters. */
const GROUP_ROWS = 20_000
const GROUP_CHARACTERS = 32 << 20

export class ParquetFileWriter {
  readonly #out = new ByteWriter()
  readonly #writer: ParquetWriter
  readonly #fd: number
  #rows: ParquetRow[] = []
  #characters = 0

  /** @param fd - of an empty file; the caller closes it */
  constructor(fd: number) {
    this.#fd = fd
    this.#writer = new ParquetWriter({
      writer: this.#out,
      schema: SCHEMA,
      codec: 'ZSTD',
      compressors: { ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes) },
      kvMetadata: [{ key: VERSION_KEY, value: String(SCHEMA_VERSION) }],
      createdBy: 'flux-ts',
    })
  }

  /** Add a row. @throws {NodeJS.ErrnoException} of the file system */
  add(row: ParquetRow): void {
    this.#rows.push(row)
    this.#characters += charactersOf(row)
    if (this.#rows.length >= GROUP_ROWS || this.#characters >= GROUP_CHARACTERS) this.#writeGroup()
  }

  /** Write the rest. @throws {NodeJS.ErrnoException} of the file system */
  finish(): void {
    if (this.#rows.length > 0) this.#writeGroup()
    this.#writer.finish()
    this.#flush()
  }

  #writeGroup(): void {
    const columnData = columnsOf(this.#rows) as Parameters<ParquetWriter['write']>[0]['columnData']
    this.#writer.write({ columnData, rowGroupSize: GROUP_ROWS })
    this.#rows = []
    this.#characters = 0
    this.#flush()
  }

  #flush(): void {
    const out = this.#out as ByteWriter & { index: number }
    const bytes = out.getBytes()
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
    out.index = 0
  }
}

/** About how many characters a row holds: what it takes in memory. */
export function charactersOf({ cells, hosts, events }: ParquetRow): number {
  let sum = 1000 + 16 * (hosts?.length ?? 0)
  for (const cell of cells) if (typeof cell === 'string') sum += cell.length
  if (events !== null) for (const { context } of events) sum += 50 + (context?.length ?? 0)
  return sum
}
