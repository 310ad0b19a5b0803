/** Formats the roots of a content store. */
import { countText, durationText, grouped, isoTime, type TimeStyle, timeText } from '../../errors/index.ts'
import type { FoundRoot, FoundRoots } from '../../inspect/index.ts'
import { formatJobid } from '../../kvs/index.ts'
import type { Column } from '../table.ts'

/** @param forPeople - counts have their digits in groups */
export function rootsColumns(style: TimeStyle, forPeople: boolean): Column<FoundRoot>[] {
  const count = forPeople ? grouped : String
  return [
    { title: 'ROOTREF', text: ({ rootref }) => rootref },
    { title: 'NEWEST', text: ({ newest }) => (newest === undefined ? '' : timeText(newest, style)) },
    { title: 'KEYS', text: ({ keys }) => count(keys), right: true },
    { title: 'JOBS', text: ({ jobs }) => count(jobs), right: true },
    { title: 'WHOLE', text: ({ lost }) => (lost === 0 ? 'yes' : `${count(lost)} lost`) },
    { title: 'CHECKPOINT', text: ({ checkpointIndex }) => String(checkpointIndex ?? ''), right: true },
    { title: 'KIND', text: kindText },
  ]
}

function kindText({ kind, guessedBy, jobid }: FoundRoot): string {
  const what = jobid === undefined ? kind : `${kind} of ${formatJobid(jobid)}`
  return guessedBy.length === 0 ? what : `${what} (${guessedBy.join(', ')})`
}

/** Messages about checkpoints that nothing can be read from. */
export function rootsComplaints({ checkpoints, lostCheckpoints }: FoundRoots): string[] {
  return lostCheckpoints.map((index) => `checkpoint ${index}: its root ${checkpoints[index]?.rootref} is lost`)
}

/**
 * What to know and to do beside the list.
 *
 * @param path - the store, as it was named
 */
export function rootsAdvice(found: FoundRoots, path: string): string[] {
  const { roots, counts } = found
  const lines: string[] = []
  const kinds = Object.entries(counts).filter(([, count]) => count > 0)
  const all = kinds.reduce((sum, [, count]) => sum + count, 0)
  if (all > roots.length) {
    const parts = kinds.map(([kind, count]) => `${grouped(count)} ${kind}`).join(', ')
    lines.push(`${grouped(roots.length)} of ${countText(all, 'root')} (${parts}): see --kind, -n and --all`)
  }
  const best = roots.find(({ kind, lost }) => kind === 'primary' && lost === 0)
  if (best === undefined || best.checkpointIndex === 0) return lines
  const why = whyStartFrom(best, found)
  if (why === undefined) return lines
  lines.push(`${why}; to start from it: content checkpoint update --store ${path} ${best.rootref}`)
  return lines
}

/** Why an instance should start from the newest whole root, and not from the newest checkpoint; undefined for no reason. */
function whyStartFrom({ newest }: FoundRoot, { checkpoints, lostCheckpoints }: FoundRoots): string | undefined {
  const [latest] = checkpoints
  if (latest === undefined) return 'the store has no checkpoint, but a whole root'
  if (lostCheckpoints.includes(0)) return 'the newest checkpoint is lost, but there is a whole root'
  // What an instance writes after its last checkpoint before it is killed.
  const ahead = (newest ?? 0) - latest.timestamp
  return ahead > 0 ? `the newest whole root is ${durationText(ahead)} ahead of the newest checkpoint` : undefined
}

/** The roots as `--json` prints them. */
export function rootsJson({ roots, counts, newest, lostCheckpoints, checked }: FoundRoots): object {
  return {
    roots: roots.map(rootJson),
    kinds: Object.entries(counts).map(([kind, rootCount]) => ({ kind, rootCount })),
    newest: isoTime(newest),
    lostCheckpoints,
    checkedCount: checked,
  }
}

function rootJson(root: FoundRoot): object {
  const { rootref, kind, guessedBy, newest, keys, jobs, lost, checkpointIndex, jobid } = root
  return {
    rootref,
    kind,
    names: guessedBy,
    timestamp: newest ?? null,
    time: isoTime(newest),
    keyCount: keys,
    jobCount: jobs,
    whole: lost === 0,
    lostCount: lost,
    checkpointIndex: checkpointIndex ?? null,
    jobid: jobid === undefined ? null : formatJobid(jobid),
  }
}
