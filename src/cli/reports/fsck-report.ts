/**
 * The report of a check: lines with the texts of `flux fsck`, and an object for `--json`.
 *
 * @see flux-core `src/cmd/builtin/fsck.c`, `t/t2816-fsck-cmd.t`
 */
import type { Checkpoint } from '../../content/index.ts'
import { errnoText, isoTime } from '../../errors/index.ts'
import {
  type BadBlob,
  blobState,
  type CheckedRoot,
  checkpointJson,
  type Damage,
  damagedKey,
  damageLines,
  type FsckResult,
  type PlannedRepair,
  type RepairOptions,
  remedyOf,
} from '../../inspect/index.ts'
import { formatJobid, parseJobid } from '../../kvs/index.ts'

export interface ReportOptions extends RepairOptions {
  repair: boolean
  verbose: boolean
  quiet: boolean
}

/** The lines for a damage, and what a repair does about it. */
export function damageReport(damage: Damage, options: ReportOptions): string[] {
  const key = damagedKey(damage)
  if (options.repair && damage.components.length === 0 && damage.badBlobs[0]) {
    return [`cannot load root tree object: ${errnoText(damage.badBlobs[0].code)}`]
  }
  const lines = damageLines(damage, options.verbose)
  if (!options.repair || options.quiet) return lines
  const remedy = remedyOf(damage, options)
  if (remedy === 'moved') lines.push(`${key} repaired and moved to lost+found`)
  if (remedy === 'unlinked')
    lines.push(`${key} unlinked due to ${blobState(damage.badBlobs.at(-1) as BadBlob)} blobref`)
  return lines
}

/** The total of a check. */
export function totalReport({ checked, errors }: FsckResult, { verbose }: ReportOptions): string[] {
  const unlisted = checked.reduce((sum, root) => sum + (root.unlisted ?? 0), 0)
  const more =
    unlisted > 0 ? [`not listed: ${unlisted} more keys of damaged directories that are referred to again`] : []
  return verbose || errors > 0 ? [...more, `Total errors: ${errors}`] : []
}

/** The lines for a planned repair, beyond those of {@link damageReport}. */
export function planReport({ jobs, problems }: PlannedRepair, { verbose, quiet }: ReportOptions): string[] {
  const moved =
    verbose && !quiet ? jobs.map((key) => `job ${formatJobid(parseJobid(key), 'f58plain')} moved to lost+found`) : []
  return [...problems, ...moved]
}

/** The lines for a finished repair. */
export function repairReport(
  { repaired, unlinked }: PlannedRepair,
  checkpoint: Checkpoint | undefined,
  { verbose, quiet }: ReportOptions,
): string[] {
  const lines: string[] = []
  // If only directories are unlinked, the C tool writes no checkpoint, so it has no text for this case.
  const what = repaired > 0 ? ' to include lost+found' : ''
  if (checkpoint && !quiet) lines.push(`Updated primary checkpoint${what}`)
  if (repaired > 0 || verbose) lines.push(`Total repairs: ${repaired}`)
  if (unlinked > 0 || verbose) lines.push(`Total unlinked directories: ${unlinked}`)
  return lines
}

/** The whole result, as `--json` prints it. */
export function fsckJson(
  { checked, errors, intact }: FsckResult,
  repair: { planned: PlannedRepair; checkpoint: Checkpoint | undefined } | undefined,
): object {
  return {
    errorCount: errors,
    checked: checked.map(rootJson),
    intact: intact ? rootFacts(intact) : null,
    ...(repair && {
      repair: {
        repairedCount: repair.planned.repaired,
        unlinkedCount: repair.planned.unlinked,
        jobs: repair.planned.jobs,
        checkpoint: repair.checkpoint ? checkpointJson(repair.checkpoint, 0) : null,
      },
    }),
  }
}

function rootJson({ damages, ...root }: CheckedRoot): object {
  return {
    ...rootFacts(root),
    directoryCount: root.directories,
    valueCount: root.values,
    symlinkCount: root.symlinks,
    blobCount: root.blobs,
    errorCount: root.errors,
    unlistedCount: root.unlisted ?? 0,
    damages: damages.map(({ kind, components, badBlobs }) => ({
      key: components.join('.') || '.',
      kind,
      blobs: badBlobs,
    })),
  }
}

/** The facts that identify a root. Members that only a checkpoint has are null for another root. */
function rootFacts({ rootref, checkpoint, checkpointIndex }: Omit<CheckedRoot, 'damages'>): object {
  const { sequence = null, timestamp = null } = checkpoint ?? {}
  return { rootref, checkpointIndex: checkpointIndex ?? null, sequence, timestamp, time: isoTime(timestamp) }
}
