import { ChunkWriter } from '../../../bytes/index.ts'
import type { ArchiveWriter } from '../../archive-writer.ts'
import { StreamWriter } from '../../stream-writer.ts'
import type { DirectoryTarget } from '../format.ts'
import { DirectoryEncoder } from './encoder.ts'
import { DirectorySink } from './sink.ts'

/**
 * @throws {FluxError} `EEXIST` a file or a non-empty directory of that name exists; else the errno of the file system
 */
export async function openWriter({
  type,
  path,
  attributes,
  fileMode,
  beforeNaming,
  signal,
}: DirectoryTarget): Promise<ArchiveWriter> {
  const sink = await DirectorySink.open(path, signal, fileMode, beforeNaming)
  const out = new ChunkWriter()
  return new StreamWriter(type, sink, out, new DirectoryEncoder(out, attributes, sink.temporary), undefined)
}
