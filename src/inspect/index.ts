export { type CheckedSums, type CheckedSumsOptions, checkedSums } from './checked-sums.ts'
export { type CheckpointListOptions, checkpointJson, checkpointList, checkpointTime } from './checkpoint-list.ts'
export type { Change, KeyContent, Leaf } from './diff/change.ts'
export { type DiffOptions, diff } from './diff/diff.ts'
export { changeText } from './diff/diff-text.ts'
export { changeJson, countsJson, DiffTotals, type StatRow } from './diff/diff-totals.ts'
export { type FirstChangeOptions, firstChange } from './diff/first-change.ts'
export { type CheckedTree, type CheckTreeOptions, checkTree } from './fsck/check-tree.ts'
export { type BadBlob, blobState, type Damage, type DamageKind, damagedKey, damageLines } from './fsck/damage.ts'
export { type CheckedRoot, type FsckOptions, type FsckResult, fsck } from './fsck/fsck.ts'
export {
  commitRepair,
  type PlannedRepair,
  planRepair,
  type Remedy,
  type RepairOptions,
  remedyOf,
} from './fsck/repair.ts'
export { RepairTree } from './fsck/repair-tree.ts'
export { Surveys } from './fsck/survey-tree.ts'
export { type ValidateOptions, validate } from './fsck/validate.ts'
export type { InspectOptions } from './inspect-options.ts'
export { type InstanceResources, instanceResources } from './instance-resources.ts'
export { type AllocatedNode, allocatedNodes } from './jobs/allocated-nodes.ts'
export type { FormatContext } from './jobs/format/context.ts'
export { FIELD_NAMES, UnknownFieldError } from './jobs/format/fields.ts'
export {
  type AdaptingPart,
  type CompiledSortKey,
  type CompileOptions,
  compileFormat,
  compileSortKeys,
  type FixedPart,
  type JobFormat,
} from './jobs/format/job-format.ts'
export { cutLine, JobRows, type Row, type RowMark, type RowOptions } from './jobs/format/job-rows.ts'
export { formatConfig, formatHelp, NAMED_FORMATS, type NamedFormat, namedFormat } from './jobs/format/named-formats.ts'
export { parseSortKeys, type SortKey } from './jobs/format/sort-keys.ts'
export { highestJobid, JOB_MANAGER_KEY, type JobManagerState, jobManagerState } from './jobs/highest-jobid.ts'
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
} from './jobs/job.ts'
export { type JobCounts, type JobCountsOptions, jobCounts, jobCountsLine } from './jobs/job-counts.ts'
export { type JobEnd, type JobEndRecords, type JobException, jobEnd } from './jobs/job-end.ts'
export { type JobFilterOptions, jobFilter, RESULT_NAMES, STATE_NAMES } from './jobs/job-filter.ts'
export { jobJson } from './jobs/job-json.ts'
export { jobOf } from './jobs/job-of.ts'
export { compareJobs, type JobPhase, jobPhase } from './jobs/job-order.ts'
export { OUTPUT_RECORD, type OutputStream, type TaskOutputOptions, taskOutput } from './jobs/job-output.ts'
export { type JobRecord, jobRecord, jobRecords } from './jobs/job-records.ts'
export {
  type JobSummary,
  type JobSummaryRecords,
  jobSummary,
  jobSummaryJson,
  readJobSummary,
} from './jobs/job-summary.ts'
export { type JobsOptions, jobs } from './jobs/jobs.ts'
export { newestJobids } from './jobs/newest-jobids.ts'
export type { NodeShare } from './jobs/resource-set.ts'
export { PERIOD_UNITS, type PeriodUnit } from './jobs/usage/calendar.ts'
export { figuresJson, type HeldResources, JobFigures } from './jobs/usage/figures.ts'
export { JOB_GROUPS, type JobGroup, periodOf, usageRecords } from './jobs/usage/grouping.ts'
export type { TimeWindow } from './jobs/usage/held.ts'
export { HeldByRank } from './jobs/usage/held-by-rank.ts'
export { type HeldTime, heldTime } from './jobs/usage/held-time.ts'
export { type HeldSum, JobUsage, type JobUsageOptions, type UsageTable } from './jobs/usage/job-usage.ts'
export { type PeriodFigures, type Periods, PeriodUsage } from './jobs/usage/period-usage.ts'
export { Sample, SampleBudget } from './jobs/usage/sample.ts'
export type { UsageRow } from './jobs/usage/usage-grouping.ts'
export { compactJson, jsonMembers } from './json-text.ts'
export { type DirEntry, type DirOptions, listDirEntries } from './keys/dir.ts'
export {
  eventJson,
  eventsUntil,
  type HeldEventlog,
  readEventlog,
  type WaitEventOptions,
  watchEventlog,
} from './keys/eventlog.ts'
export { type EventlogFormat, EventlogFormatter } from './keys/eventlog-format.ts'
export { LookAhead } from './keys/look-ahead.ts'
export { type Listed, type Listing, type ListOptions, listKeys } from './keys/ls.ts'
export { keyValueLine, objJson, printedValue, valueJson } from './keys/value-text.ts'
export { type WatchedKey, type WatchOptions, watchKeys } from './keys/watch.ts'
export { listFaults } from './list-faults.ts'
export { loadBlobs } from './load-blobs.ts'
export { type NextCheckpointOptions, nextCheckpoint } from './next-checkpoint.ts'
export { type DrainedNode, drainedNodes } from './nodes/drained.ts'
export { type NodeHistory, type NodeSpan, nodeHistory, type ResourceEvent } from './nodes/node-history.ts'
export { type FindRootsOptions, type FoundRoot, type FoundRoots, findRoots } from './roots/find-roots.ts'
export { type Ahead, aheadOfCheckpoint } from './roots/latest-event.ts'
export { ROOT_KINDS, type RootKind } from './roots/root-kind.ts'
export { type ContentStats, contentStats } from './size/content-stats.ts'
export { du, sortUsages, type UsageOrder } from './size/du.ts'
export { type FoldedNode, type FoldedTreeOptions, foldedTree } from './size/folded-tree.ts'
export { markReachable } from './size/mark-reachable.ts'
export { duByKind, type KindSize, RecordKinds } from './size/record-kinds.ts'
export type { DirSums, DuOptions, SizeMeter, TreeCounts, TreeSums, TreeSumsOptions, Usage } from './size/sums.ts'
export { treeSums } from './size/tree-sums.ts'
