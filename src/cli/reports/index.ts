/**
 * Reports about a check, about a store, and about the records of a job. They are not exported by cli/index.ts, because
 * they load all of inspect/, which most commands do not need.
 */
export {
  damageReport,
  fsckJson,
  planReport,
  type ReportOptions,
  repairReport,
  totalReport,
} from './fsck-report.ts'
export { type VerdictOptions, verdictReport } from './fsck-verdict.ts'
export { decodedRecord, recordLines } from './job-text.ts'
export { olderCheckpoints } from './older-checkpoints.ts'
export { rootsHint } from './roots-hint.ts'
export { rootsAdvice, rootsColumns, rootsComplaints, rootsJson } from './roots-report.ts'
export {
  type StatsRow,
  serviceStatsJson,
  serviceStatsRows,
  statsComplaints,
  statsJson,
  statsRows,
  statsText,
} from './stats-report.ts'
export { summaryLines } from './summary-text.ts'
export { usageColumns, usageCsv, usageJson, usageRows } from './usage-report.ts'
export { type Verified, verifyDifferences, verifyJson, verifyText } from './verify-report.ts'
