export { ArchiveError, type ArchivePlace } from './archive-error.ts'
export type { ArchiveWriter } from './archive-writer.ts'
export { type ChecksumResult, checksumPath, compareChecksum } from './checksum-file.ts'
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
  READABLE_FILTERS,
  READABLE_FORMATS,
  type ReadableFilter,
  type ReadableFormat,
} from './kinds.ts'
export type { Member, MemberType, OnLoss } from './member.ts'
export { type ArchiveReader, type OpenArchiveOptions, type OpenedType, openArchive } from './open.ts'
export { openSink, type Sink } from './sink.ts'
