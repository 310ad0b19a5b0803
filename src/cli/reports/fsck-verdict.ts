/**
 * The summary of a check for a person, which `flux fsck` does not have: what is damaged, and what can be done about it.
 */
import type { Checkpoint } from '../../content/index.ts'
import { grouped } from '../../errors/index.ts'
import {
  type CheckedRoot,
  checkpointTime,
  type FsckResult,
  type PlannedRepair,
  type RepairOptions,
  remedyOf,
} from '../../inspect/index.ts'

/** What a repair has done, or could do. */
export interface VerdictOptions extends RepairOptions {
  /** False for a source that cannot be written, such as an archive. */
  isRepairable: boolean
  /** The repair, if `--repair` was given. */
  planned?: PlannedRepair | undefined
  /** The checkpoint that the repair has written. */
  written?: Checkpoint | undefined
}

/** Says for each root whether it is intact, how much was checked, and what can be done about damage. */
export function verdictReport(result: FsckResult, options: VerdictOptions): string[] {
  const { checked } = result
  const counts = countsText(checked)
  const [only] = checked
  if (only && checked.length === 1) {
    return [`${rootText(only)}: ${stateText(only)}; looked at ${counts}`, ...nextSteps(only, result, options)]
  }
  const lines = checked.map((root) => `${rootText(root)}: ${stateText(root)}`)
  return [...lines, `looked at ${counts}`, ...(only ? nextSteps(only, result, options) : [])]
}

function nextSteps(first: CheckedRoot, { intact, isSearched }: FsckResult, options: VerdictOptions): string[] {
  if (first.errors === 0) return []
  const { planned, written } = options
  const lines: string[] = []
  if (planned) lines.push(...repairSteps(first, options))
  if (intact) {
    const { rootref, checkpointIndex = 0 } = intact
    // After a repair the indices have changed, and the checkpoint may be gone; its blobs are still there.
    const how = written ? `--root ${rootref}` : `--checkpoint-index ${checkpointIndex}`
    lines.push(`${rootText(intact)} is intact: dump it with ${how}`)
  } else if (isSearched) {
    lines.push('no other checkpoint is intact')
  }
  if (written) return lines
  if (isRootLost(first)) {
    lines.push(
      `the root directory of ${rootText(first)} cannot be read, so nothing can be dumped or repaired from there`,
      'of a store on disk, content roots lists the other roots that it has',
    )
    return lines
  }
  const how =
    first.checkpointIndex === undefined ? `--root ${first.rootref}` : `--checkpoint-index ${first.checkpointIndex}`
  lines.push(`what can be read of ${rootText(first)}: dump it with ${how} --ignore-failed-read`)
  if (!planned && options.isRepairable) lines.push(...repairAdvice(first))
  return lines
}

/** What a repair has achieved. `flux fsck` exits with 1 even if everything was repaired. */
function repairSteps({ damages }: CheckedRoot, options: VerdictOptions): string[] {
  const left = damages.filter((damage) => remedyOf(damage, options) === 'none')
  if (left.length === 0)
    return ['all of it is repaired in the new checkpoint; the exit status is 1 as that of flux fsck --repair']
  const count = left.length === 1 ? '1 error is' : `${grouped(left.length)} errors are`
  const more = left.some((damage) => remedyOf(damage, { dropDamaged: true }) !== 'none')
  return [`${count} not repaired${more ? ': --drop-damaged takes what is altered or not readable for missing' : ''}`]
}

function repairAdvice({ damages, checkpointIndex, rootref }: CheckedRoot): string[] {
  const which =
    checkpointIndex === undefined
      ? ` --rootref ${rootref}`
      : checkpointIndex > 0
        ? ` --checkpoint-index ${checkpointIndex}`
        : ''
  const isMended = (dropDamaged: boolean) => damages.some((damage) => remedyOf(damage, { dropDamaged }) !== 'none')
  if (isMended(false)) return [`a new checkpoint without what is missing: fsck --repair${which}`]
  return isMended(true) ? [`a new checkpoint without what is damaged: fsck --repair --drop-damaged${which}`] : []
}

function isRootLost({ damages }: CheckedRoot): boolean {
  return damages.some(({ components }) => components.length === 0)
}

function rootText({ rootref, checkpoint, checkpointIndex }: CheckedRoot): string {
  return checkpoint ? `checkpoint ${checkpointIndex} of ${checkpointTime(checkpoint)}Z` : rootref
}

function stateText({ errors }: CheckedRoot): string {
  return errors === 0 ? 'intact' : counted(errors, 'error')
}

/** The sums of what was checked below all roots. */
function countsText(roots: readonly CheckedRoot[]): string {
  const sum = (of: (root: CheckedRoot) => number) => roots.reduce((total, root) => total + of(root), 0)
  const directories = sum((root) => root.directories)
  return [
    directories === 1 ? '1 directory' : `${grouped(directories)} directories`,
    counted(
      sum(({ values }) => values),
      'value',
    ),
    counted(
      sum(({ symlinks }) => symlinks),
      'link',
    ),
    counted(
      sum(({ blobs }) => blobs),
      'blob',
    ),
  ].join(', ')
}

function counted(count: number, what: string): string {
  return `${grouped(count)} ${what}${count === 1 ? '' : 's'}`
}
