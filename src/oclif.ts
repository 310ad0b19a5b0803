/**
 * The building blocks of the commands, for authors of more commands and hooks in an oclif tool or plugin. Programs
 * without oclif import the library (index.ts) instead, which does not load oclif.
 */
export {
  type DumpSummary,
  EXIT,
  FluxCommand,
  type FluxEvents,
  type FluxHook,
  type FluxHooks,
  interruptible,
  isLive,
  Output,
  openSource,
  openTarget,
  paceFlags,
  type RestoreSummary,
  type RootFlags,
  rootChoice,
  rootFlags,
  Source,
  type SourceChoice,
  SourceCommand,
  type SourceCommandFlags,
  showTasks,
  sourceFlags,
  type Target,
  type TargetChoice,
  targetFlags,
  UsageError,
  type Verbosity,
} from './cli/index.ts'
export { type DumpPhase, type DumpTasks, type DumpTasksOptions, dumpTasks, type ShownPhase } from './dump/index.ts'
export { type RestorePhase, type RestoreTasks, type RestoreTasksOptions, restoreTasks } from './restore/index.ts'
