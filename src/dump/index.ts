export { Dump, type DumpOptions, type DumpProgress, type DumpResult } from './dump.ts'
export { COMPONENTS_RECORD, LINKNAME_RECORD, type MemberPath, MemberPaths } from './member-path.ts'
export { type DumpTasksOptions, dumpTasks } from './tasks.ts'
