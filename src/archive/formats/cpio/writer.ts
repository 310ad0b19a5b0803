import { ChunkWriter } from '../../../bytes/index.ts'
import type { ArchiveWriter } from '../../archive-writer.ts'
import { StreamWriter } from '../../stream-writer.ts'
import type { FileTarget } from '../format.ts'
import { CpioEncoder } from './encoder.ts'

/** @throws {ArchiveError} `EOVERFLOW` the format cannot express the owner or the time */
export function openWriter({ type, sink, filter, attributes, records }: FileTarget): ArchiveWriter {
  const out = new ChunkWriter()
  return new StreamWriter(type, sink, out, new CpioEncoder(out, attributes, records), filter)
}
