/** Reads a Parquet file that an export has written, row group by row group. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { FluxError } from '../../../errors/index.ts'
import { SCHEMA_VERSION, VERSION_KEY } from './file-writer.ts'
import { type ParquetRow, rowFrom } from './schema.ts'

/** Times stay microseconds: a date has only milliseconds. */
const parsers = { timestampFromMicroseconds: (micros: bigint) => micros }
const compressors = { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) }

/**
 * The rows of a file.
 *
 * @param columns - the columns to read; all others are empty (default: all)
 * @yields the rows of a row group
 * @throws {FluxError} `EINVAL` it is no export, or that of a newer version; errors of the file system
 */
export async function* readRows(path: string, columns?: string[]): AsyncGenerator<ParquetRow[], void, void> {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    const file = bufferOf(fd)
    const metadata = await metadataOf(file, path)
    let rowStart = 0
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows)
      const rows = await parquetReadObjects({
        file,
        metadata,
        ...(columns && { columns }),
        rowStart,
        rowEnd,
        parsers,
        compressors,
      })
      yield rows.map(rowFrom)
      rowStart = rowEnd
    }
  } catch (error) {
    throw FluxError.fromSystem(error, `cannot read ${path}`)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

async function metadataOf(file: AsyncBuffer, path: string): Promise<FileMetaData> {
  const metadata = await parquetMetadataAsync(file).catch((error) => {
    throw new FluxError('EINVAL', `cannot read ${path}: not a Parquet file, or damaged`, {
      hint: 'move it away, and export anew',
      cause: error,
    })
  })
  const version = Number(metadata.key_value_metadata?.find(({ key }) => key === VERSION_KEY)?.value)
  if (version >= 1 && version <= SCHEMA_VERSION) return metadata
  const isNewer = version > SCHEMA_VERSION
  throw new FluxError('EINVAL', `${path}: ${isNewer ? 'written by a newer flux-ts' : 'not written by jobs export'}`, {
    hint: isNewer ? 'use the newer flux-ts that has written it' : 'give the export another name',
  })
}

function bufferOf(fd: number): AsyncBuffer {
  const byteLength = fstatSync(fd).size
  return {
    byteLength,
    slice(start, end = byteLength) {
      const from = start < 0 ? Math.max(0, byteLength + start) : start
      const bytes = new Uint8Array(Math.max(0, end - from))
      for (let at = 0; at < bytes.length; ) {
        const read = readSync(fd, bytes, at, bytes.length - at, from + at)
        if (read === 0) break
        at += read
      }
      return bytes.buffer
    },
  }
}
