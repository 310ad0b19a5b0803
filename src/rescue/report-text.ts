/** The report of a rescue as text, for `report.txt` and the terminal. */
import { countText, messageLine, timeText } from '../errors/index.ts'
import { formatJobid } from '../kvs/index.ts'
import { Hostlist } from '../resource/index.ts'
import type { LostKey, RescuedJob, RescueReport } from './report.ts'

/** The most lines of one list. The rest is in `report.json`. */
const MOST = 100

/**
 * The report, line by line.
 *
 * @param username - the name of a user, if it is known
 */
export function reportLines(report: RescueReport, username: (userid: number) => string | undefined): string[] {
  return [
    `Rescue of ${report.store}, ${timeText(report.time, { offset: true })}`,
    '',
    ...report.steps,
    '',
    ...usedLines(report),
    '',
    ...lostLines(report, username),
    ...listed('Jobs that had not ended:', report.activeJobs, (job) => jobLine(job, username)),
    ...drainedLines(report),
    ...(report.problems.length > 0 ? listed('Problems:', report.problems, messageLine) : []),
    'What comes next:',
    ...report.next.map((command) => `  ${command}`),
  ]
}

function usedLines({ chosen, written, keys, blobs, jobs, highestJobid, isJobidRaised, newer }: RescueReport): string[] {
  const which =
    chosen.checkpointIndex === undefined
      ? 'a root that no checkpoint names'
      : `checkpoint ${chosen.checkpointIndex} of ${timeText(chosen.timestamp ?? 0, { offset: true })}`
  const lines = [
    `Used: ${chosen.rootref}, ${which}${chosen.isSalvaged ? ', from the pages of the database' : ''}`,
    `Written: ${written.rootref}, sequence ${written.sequence}: ${countText(keys, 'key')}, ${countText(blobs, 'blob')}, ${countText(jobs, 'job')}`,
  ]
  if (highestJobid !== undefined) {
    const raised = isJobidRaised ? ': checkpoint.job-manager named a lower one and was put right' : ''
    lines.push(`Highest job id: ${formatJobid(highestJobid)}${raised}`)
  }
  if (newer) {
    const when = newer.time === undefined ? '' : ` of ${timeText(newer.time, { offset: true })}`
    lines.push(`There is a newer root${when} with ${countText(newer.jobs, 'job')}: ${newer.rootref}`)
  }
  return lines
}

function lostLines(report: RescueReport, username: (userid: number) => string | undefined): string[] {
  const { lostKeyCount, lostDirCount, lostKeys, lostJobs, lostJobDirs } = report
  if (lostKeyCount === 0) return ['Lost: nothing below this root.', '']
  const values = lostKeyCount - lostDirCount
  const parts = [values > 0 ? countText(values, 'damaged value') : '', dirText(lostDirCount)]
  return [
    `Lost: ${parts.filter((part) => part !== '').join(' and ')}.`,
    '',
    ...listed('Damaged keys:', lostKeys, lostKeyLine, lostKeyCount),
    ...listed('Damaged jobs:', lostJobs, (job) => jobLine(job, username)),
    ...listed('Directories that may have held more jobs:', lostJobDirs, messageLine),
  ]
}

function dirText(count: number): string {
  if (count === 0) return ''
  return count === 1
    ? '1 unreadable directory (keys below it unknown)'
    : `${count} unreadable directories (keys below them unknown)`
}

const REMEDIES = { moved: 'the rest is in lost+found', unlinked: 'removed', none: 'left as it is' } as const

function lostKeyLine({ key, kind, remedy }: LostKey): string {
  return messageLine(`${key}: ${kind.replace('-', ' ')}, ${REMEDIES[remedy]}`)
}

function jobLine(
  { id, userid, name, state, problems }: RescuedJob,
  username: (id: number) => string | undefined,
): string {
  const user = userid === undefined ? 'unknown user' : (username(userid) ?? `user ${userid}`)
  const what = problems.length > 0 ? `: ${problems.join('; ')}` : ''
  return messageLine(`${formatJobid(id)} ${user} ${state} ${name ?? '-'}${what}`)
}

function drainedLines({ drained }: RescueReport): string[] {
  const byReason = new Map<string, { ranks: number[]; hosts: string[] }>()
  for (const { rank, host, reason = '' } of drained) {
    const group = byReason.get(reason) ?? { ranks: [], hosts: [] }
    group.ranks.push(rank)
    group.hosts.push(host ?? `rank${rank}`)
    byReason.set(reason, group)
  }
  return listed('Drained nodes:', [...byReason], ([reason, { hosts }]) => {
    return messageLine(`${Hostlist.of(hosts)}${reason === '' ? '' : `: ${reason}`}`)
  })
}

/** A heading and an indented list, with an empty line after it; nothing for an empty list. */
function listed<T>(heading: string, items: readonly T[], lineOf: (item: T) => string, count = items.length): string[] {
  if (count === 0) return []
  const shown = items.slice(0, MOST).map((item) => `  ${lineOf(item)}`)
  const more = count > shown.length ? [`  and ${count - shown.length} more: see report.json`] : []
  return [heading, ...shown, ...more, '']
}
