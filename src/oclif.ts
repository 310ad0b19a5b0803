/**
 * For authors of further commands and of hooks, in a tool or plugin that knows oclif: what the commands of this package
 * are made of. Programs without oclif import the library instead, which does not load it.
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
