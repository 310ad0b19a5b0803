export { Dump, type DumpOptions, type DumpResult } from './dump.ts'
export { type MemberPath, MemberPaths } from './member-path.ts'
export type { DumpProgress } from './progress.ts'
export { type DumpPhase, type DumpTasks, type DumpTasksOptions, dumpTasks, type ShownPhase } from './tasks.ts'
