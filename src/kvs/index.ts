export { type ArchiveOrigin, originOf, originRecords, proofRecords } from './archive-origin.ts'
export { type ChooseTreeOptions, chooseTree } from './choose-tree.ts'
export { DigestMap } from './digest-map.ts'
export { type DirEntries, ENTRY } from './dir-entries.ts'
export { DirGraph } from './dir-graph.ts'
export { DirScan, type DirVisitor } from './dir-scan.ts'
export { componentsOf, Dir, type Entry, keyBelow, keyIn, keyOf, type SymlinkEntry, type ValueEntry } from './entry.ts'
export { type Eventlog, type EventlogEntry, type ParseEventlogOptions, parseEventlog } from './eventlog.ts'
export { GlobFilter, Globs, type KeyGlobs, type KeySelection } from './globs.ts'
export {
  formatJobid,
  JOBID_FORMS,
  type JobidForm,
  type JobidPrefix,
  jobidPrefix,
  jobKey,
  parseJobid,
} from './jobid.ts'
export type { Child, KvsReader, LookupKind } from './kvs-reader.ts'
export {
  isNoSuchKey,
  keyComponents,
  lookupError,
  plainKey,
  SnapshotReader,
  type SnapshotReaderOptions,
} from './lookup.ts'
export { inByteOrder, sortNames } from './name-order.ts'
export { type JobNamespaceRoot, type NamespaceRootsOptions, namespaceRoots, usedRoots } from './namespace-roots.ts'
export { countPaths, countStored, countTree, type PathCount, type PathSource } from './path-count.ts'
export { COMPONENTS_RECORD, LINKNAME_RECORD } from './pax-records.ts'
export { type Refs, requestRef } from './refs.ts'
export type { BadPart } from './scan-batch.ts'
export { type KvsChanges, ServiceReader, type ServiceReaderOptions } from './service-reader.ts'
export { PRIMARY_NAMESPACE, type RootChoice, resolveRoot, type Snapshot, type SnapshotRoot } from './snapshot.ts'
export { storeTree, type TreeToStore } from './store-tree.ts'
export { selectKeys } from './subtree.ts'
export { TreeError, type TreeErrorKind } from './tree-error.ts'
export { badDirref, badEntry, decodeDir, decodeInline, missingDir, missingValue } from './tree-faults.ts'
export { TreeHash } from './tree-hash.ts'
export { type ScanOptions, type ScanVisitor, TreeScan } from './tree-scan.ts'
export {
  asTreeObj,
  type DirObj,
  type Dirref,
  decodeTreeObj,
  decodeVal,
  dirBlobref,
  dirrefOf,
  type EntryObj,
  type Invalid,
  isDir,
  linkOf,
  linkText,
  MAX_DIR_BYTES,
  type Symlink,
  sortedNames,
  type TreeObj,
  type Val,
  type Valref,
} from './treeobj.ts'
export {
  dirBlob,
  dirrefText,
  dirText,
  jsonString,
  symlinkText,
  treeObjText,
  valrefText,
  valText,
} from './treeobj-encode.ts'
export { INLINE_BYTES, pieceBytesOf } from './value-form.ts'
export { streamValue } from './value-stream.ts'
export { walk } from './walk.ts'
export { depthError, LimitCount, MAX_DEPTH, MAX_KEYS, MAX_SHARED_KEYS } from './walk-limits.ts'
export type { WalkFilter, WalkOptions } from './walk-options.ts'
