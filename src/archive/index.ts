export { ArchiveError, type ArchivePlace } from './archive-error.ts'
export type { ArchiveWriter } from './archive-writer.ts'
export { type CreateArchiveOptions, createArchive } from './create.ts'
export type { ExtraRecords, FormatEncoder, MemberAttributes } from './format-encoder.ts'
export { TarEncoder, type TarOptions } from './formats/tar/encoder.ts'
export {
  ARCHIVE_EXTENSIONS,
  type ArchiveType,
  archiveTypeOf,
  compressionLevel,
  type FilterName,
  type FormatName,
} from './formats.ts'
export type { Member, MemberType } from './member.ts'
export { type ArchiveReader, type OpenArchiveOptions, type OpenedType, openArchive } from './open.ts'
export type { ReadableFilter, ReadableFormat } from './recognise.ts'
export { openSink, type Sink } from './sink.ts'
