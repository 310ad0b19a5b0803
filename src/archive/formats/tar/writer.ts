import { ChunkWriter } from '../../../bytes/index.ts'
import type { ArchiveWriter } from '../../archive-writer.ts'
import { StreamWriter } from '../../stream-writer.ts'
import type { FileTarget } from '../format.ts'
import { TarEncoder } from './encoder.ts'
import { RECORD_BYTES } from './layout.ts'

/** Write a tar, through a filter if there is one. */
export function openWriter({ type, sink, filter, attributes, records, isStdout }: FileTarget): ArchiveWriter {
  const out = new ChunkWriter()
  const options = { records, ...(isStdout && filter === undefined && { recordBytes: RECORD_BYTES }) }
  return new StreamWriter(type, sink, out, new TarEncoder(out, attributes, options), filter)
}
