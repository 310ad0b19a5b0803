export { Restore, type RestoredRoot, type RestoreOptions, type RestoreProgress, type RestoreResult } from './restore.ts'
export type { SelectionOptions } from './selection.ts'
export { type RestoreTasksOptions, restoreTasks } from './tasks.ts'
export { TreeBuilder } from './tree-builder.ts'
