/** Command lines that read the source of a report. */
import type { ReportSnapshot } from './report-data.ts'

/** What a command reads: one root; one root, as `fsck` names it; or the store as a whole. */
export type Reads = 'root' | 'check' | 'store'

/** The command line for a command and its own flags, such as `jobs stats --by user`. */
export type CommandFor = (words: string, reads?: Reads) => string

/** Command lines that read a snapshot. Those of a redacted report do not name it. */
export function commandsFor(snapshot: Pick<ReportSnapshot, 'rootref' | 'arguments'>): CommandFor {
  const { store, root } = snapshot.arguments ?? { store: '', root: '' }
  // fsck has another name for --root, and no --namespace.
  const checked = root === '' || root.startsWith('--checkpoint-index') ? root : `--rootref ${snapshot.rootref}`
  const flags = { root, check: checked, store: '' }
  return (words, reads = 'root') => ['flux-ts', words, store, flags[reads]].filter((part) => part !== '').join(' ')
}

/** The command line of `diff` for two snapshots. */
export function diffCommand(before: Pick<ReportSnapshot, 'arguments'>, now: Pick<ReportSnapshot, 'arguments'>): string {
  if (before.arguments === null || now.arguments === null) return 'flux-ts diff --stat OTHER THIS'
  const isSalvaged = [before, now].some(({ arguments: given }) => given?.store.endsWith(' --salvage'))
  return `flux-ts diff --stat ${isSalvaged ? '--salvage ' : ''}${before.arguments.source} ${now.arguments.source}`
}
