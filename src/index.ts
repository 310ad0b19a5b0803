/** The public library: what the commands themselves are made of. */
export {
  ARCHIVE_EXTENSIONS,
  ArchiveError,
  type ArchiveType,
  ArchiveWriter,
  archiveTypeOf,
  type CreateArchiveOptions,
  createArchive,
  type ExtraRecords,
  type FilterName,
  type FormatName,
  type MemberAttributes,
} from './archive/index.ts'
export {
  type BlobResult,
  blobrefHash,
  blobrefOf,
  type Checkpoint,
  ContentError,
  type ContentStore,
  type HashName,
  isBlobref,
  type OpenStoreOptions,
  openStore,
  parseBlobref,
} from './content/index.ts'
export {
  COMPONENTS_RECORD,
  Dump,
  type DumpOptions,
  type DumpProgress,
  type DumpResult,
  MemberPaths,
} from './dump/index.ts'
export { type ErrnoName, FluxError, InterruptedError, printable } from './errors/index.ts'
export {
  componentsOf,
  type Dir,
  decodeTreeObj,
  type Entry,
  keyOf,
  type RootChoice,
  resolveRoot,
  type Snapshot,
  type SymlinkEntry,
  TreeError,
  type TreeErrorKind,
  type TreeObj,
  type ValueEntry,
  type WalkOptions,
  walk,
} from './kvs/index.ts'
