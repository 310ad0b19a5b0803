/**
 * What a check says, in the words of `flux fsck`: its lines, and as an object.
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

/** What is wrong with a key, and what a repair does about it. */
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

/** What was found. */
export function totalReport({ checked, errors }: FsckResult, { verbose }: ReportOptions): string[] {
  const unlisted = checked.reduce((sum, root) => sum + (root.unlisted ?? 0), 0)
  const more =
    unlisted > 0 ? [`not listed: ${unlisted} more keys of damaged directories that are referred to again`] : []
  return verbose || errors > 0 ? [...more, `Total errors: ${errors}`] : []
}

/** What is going to be done beside what {@link damageReport} said. */
export function planReport({ jobs, problems }: PlannedRepair, { verbose, quiet }: ReportOptions): string[] {
  const moved =
    verbose && !quiet ? jobs.map((key) => `job ${formatJobid(parseJobid(key), 'f58plain')} moved to lost+found`) : []
  return [...problems, ...moved]
}

/** What was done. */
export function repairReport(
  { repaired, unlinked }: PlannedRepair,
  checkpoint: Checkpoint | undefined,
  { verbose, quiet }: ReportOptions,
): string[] {
  const lines: string[] = []
  // The C tool writes nothing when all there is to do is to unlink directories, and so has no words for it.
  const what = repaired > 0 ? ' to include lost+found' : ''
  if (checkpoint && !quiet) lines.push(`Updated primary checkpoint${what}`)
  if (repaired > 0 || verbose) lines.push(`Total repairs: ${repaired}`)
  if (unlinked > 0 || verbose) lines.push(`Total unlinked directories: ${unlinked}`)
  return lines
}

/** All of it, as `--json` prints it. */
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

/** What says which root it is; null for what a root that is no checkpoint has not. */
function rootFacts({ rootref, checkpoint, checkpointIndex }: Omit<CheckedRoot, 'damages'>): object {
  const { sequence = null, timestamp = null } = checkpoint ?? {}
  return { rootref, checkpointIndex: checkpointIndex ?? null, sequence, timestamp, time: isoTime(timestamp) }
}
