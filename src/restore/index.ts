export { type ArchiveInfo, type ArchiveInfoOptions, archiveInfo } from './archive-info.ts'
export { ArchiveStore } from './archive-store.ts'
export type { RestoreLeaf } from './open-dir.ts'
export type { RestoreProgress } from './progress.ts'
export {
  type ArchiveReading,
  Restore,
  type RestoredRoot,
  type RestoreOptions,
  type RestoreResult,
} from './restore.ts'
export type { OpenArchiveStoreOptions } from './restored-archive.ts'
export type { SelectionOptions } from './selection.ts'
export { type RestorePhase, type RestoreTasks, type RestoreTasksOptions, restoreTasks } from './tasks.ts'
export { type SizedLeaf, TreeBuilder, type TreeBuilderOptions } from './tree-builder.ts'
export type { BlobWriter } from './value-store.ts'
export { verifyWritten } from './verify-written.ts'
