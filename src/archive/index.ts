export { ArchiveError } from './archive-error.ts'
export type { ArchiveWriter } from './archive-writer.ts'
export { type CreateArchiveOptions, createArchive } from './create.ts'
export type { ExtraRecords, FormatEncoder, MemberAttributes } from './format-encoder.ts'
export { TarEncoder, type TarOptions } from './formats/tar.ts'
export {
  ARCHIVE_EXTENSIONS,
  type ArchiveType,
  archiveTypeOf,
  compressionLevel,
  type FilterName,
  type FormatName,
} from './formats.ts'
export { openSink, type Sink } from './sink.ts'
