export { Compaction, type CompactionOptions, type CompactionResult, type NeededSpace } from './compaction.ts'
export { type CompactionPhase, type CompactionTasksOptions, compactionTasks } from './tasks.ts'
