export { columns } from './columns.ts'
export { Complaints, complaintFlags, kindOf } from './complaints.ts'
export { COMPLETION_SHELLS, type CompletionShell, completionLines, completionScript } from './completion/script.ts'
export { Sides } from './diff-source.ts'
export { dumpSummary, leftOver } from './dump-report.ts'
export { parseDuration } from './duration.ts'
export { eventlogFlags, eventlogFormat, withColorAlone } from './eventlog-flags.ts'
export type { DumpSummary, FluxEvents, FluxHook, FluxHooks, RestoreSummary } from './events.ts'
export { EXIT, errorJson, errorLine, exitStatusOf } from './exit-status.ts'
export { FluxCommand } from './flux-command.ts'
export {
  type JobFlags,
  type JobSelection,
  type JobSelectionContext,
  jobCountFlags,
  jobFlags,
  jobidArgs,
  jobSelection,
} from './job-flags.ts'
export { formatInformation, jobArguments, jobFormat, jobFormatFlags } from './job-format-flags.ts'
export { printJobTable } from './job-table.ts'
export { escapedJson } from './json-escape.ts'
export { printJsonList } from './json-list.ts'
export { LineWriter } from './line-writer.ts'
export { isUtf8Locale } from './locale.ts'
export { type NamedSource, NamedSources } from './named-source.ts'
export { Output, outputWidth, print, shown, shownContent, shownLines } from './output.ts'
export { openRepairTarget, type RepairTarget } from './repair-target.ts'
export { keyIn, LEAST_KEY, refuseOtherThanReport } from './report-files.ts'
export { globFlags, jobidArgument, jobKeys, limitFlags } from './selection.ts'
export { interruptible } from './signals.ts'
export { parseSize } from './size.ts'
export {
  openArchiveStore,
  openSource,
  type RootFlags,
  refuseToReplace,
  refuseUnlessLive,
  rootChoice,
  type SourceChoice,
} from './source-choice.ts'
export { atFlag, Source, SourceCommand, type SourceCommandFlags } from './source-command.ts'
export { archiveFlags, directFlag, loadFlags, paceFlags, rootFlags, sourceFlags } from './source-flags.ts'
export { keepNotified } from './status-notifier.ts'
export { stdinLines } from './stdin-lines.ts'
export { StoreCommand } from './store-command.ts'
export { type Column, Table } from './table.ts'
export { openTarget, type Target, type TargetChoice, targetFlags } from './target.ts'
export { showTasks } from './task-list.ts'
export { loadTextWidth, textWidth } from './text-width.ts'
export { unknownCommand, unknownCommandText } from './unknown-command.ts'
export { UsageError } from './usage-error.ts'
export { Users } from './users.ts'
export { isLive, type Verbosity } from './verbosity.ts'
export { parseWhen, timeStyle, utcFlag } from './when.ts'
