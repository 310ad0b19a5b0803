export type { Change, Held, Leaf } from './change.ts'
export { type CheckedTree, type CheckTreeOptions, checkTree } from './check-tree.ts'
export {
  type CheckpointListOptions,
  checkpointJson,
  checkpointList,
  checkpointTime,
} from './checkpoint-list.ts'
export { columns } from './columns.ts'
export { type ContentStats, contentStats } from './content-stats.ts'
export { type BadBlob, blobState, type Damage, type DamageKind, damagedKey, damageLines } from './damage.ts'
export { type DiffOptions, type DiffTree, diff } from './diff.ts'
export { changeText } from './diff-text.ts'
export { changeJson, countsJson, DiffTotals, type StatRow } from './diff-totals.ts'
export { type DirEntry, type DirOptions, listDirEntries } from './dir.ts'
export { type DuOptions, du, sortUsages, type Usage, type UsageOrder } from './du.ts'
export {
  eventJson,
  eventsUntil,
  type HeldEventlog,
  readEventlog,
  type WaitEventOptions,
  watchEventlog,
} from './eventlog.ts'
export { type EventlogFormat, EventlogFormatter } from './eventlog-format.ts'
export { type CheckedRoot, type FsckOptions, type FsckResult, fsck } from './fsck.ts'
export {
  damageReport,
  fsckJson,
  planReport,
  type ReportOptions,
  repairReport,
  totalReport,
} from './fsck-report.ts'
export { type VerdictOptions, verdictReport } from './fsck-verdict.ts'
export {
  JOB_RESULTS,
  JOB_STATES,
  type Job,
  type JobProblem,
  type JobRecords,
  type JobResult,
  type JobState,
  jobReturncode,
  jobRuntime,
  jobStatus,
} from './job.ts'
export { type JobFilterOptions, jobFilter, RESULT_NAMES, STATE_NAMES } from './job-filter.ts'
export { jobJson } from './job-json.ts'
export { jobOf } from './job-of.ts'
export { OUTPUT_RECORD, type OutputStream, taskOutput } from './job-output.ts'
export { type JobRecord, type JobsRoot, jobRecord, jobRecords } from './job-records.ts'
export { decodedRecord, recordLines } from './job-text.ts'
export { type JobsOptions, jobs } from './jobs.ts'
export { compactJson, jsonMembers } from './json-text.ts'
export { loadBlobs } from './load-blobs.ts'
export { keyIn, LookAhead } from './look-ahead.ts'
export { type Listed, type Listing, type ListOptions, listKeys } from './ls.ts'
export { commitRepair, type PlannedRepair, planRepair, type Remedy, type RepairOptions, remedyOf } from './repair.ts'
export {
  type StatsRow,
  serviceStatsJson,
  serviceStatsRows,
  statsComplaints,
  statsJson,
  statsRows,
  statsText,
} from './stats-report.ts'
export { type ValidateOptions, validate } from './validate.ts'
export { keyValueLine, objJson, printedValue, valueJson } from './value-text.ts'
export { type WatchedKey, type WatchOptions, watchKeys } from './watch.ts'
