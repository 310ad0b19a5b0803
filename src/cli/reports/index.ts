/**
 * What is said of a check, of a store and of the records of a job. Not by the door of cli/: all of inspect/ is behind it, which
 * most commands never need.
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
export {
  type StatsRow,
  serviceStatsJson,
  serviceStatsRows,
  statsComplaints,
  statsJson,
  statsRows,
  statsText,
} from './stats-report.ts'
