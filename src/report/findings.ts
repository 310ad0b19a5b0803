/** A judgement of a snapshot in words. */
import { byteText, countText, durationText, grouped } from '../errors/index.ts'
import type { Ahead } from '../inspect/index.ts'
import type { CommandFor } from './commands.ts'
import type { ReportFinding, ReportHealth } from './report-data.ts'

/** What is judged. */
export interface FindingFacts extends Pick<ReportHealth, 'checkpoints' | 'content' | 'oversized'> {
  readonly kind: string
  readonly checked: ReportHealth['fsck']
  readonly isUnverified: boolean
  readonly isLive: boolean
  /** How far the newest event is ahead of the newest checkpoint. */
  readonly ahead: Ahead | undefined
  /** Runs of the instance that ended without a shutdown. */
  readonly crashes: number
  /** Nodes that are drained. */
  readonly drained: number
  /** When the report was made. */
  readonly created: number
  /** The command lines that tell more. */
  readonly command: CommandFor
}

/** A running instance writes checkpoints more often than this, unless it is configured otherwise. In seconds. */
const LATE = 6 * 3600

/** An offline store with events that are later than its checkpoint by so many seconds. */
const AHEAD = 60

/** Parts of a store from which on something should be done. */
const MUCH_GARBAGE = 0.5
const MUCH_FREE = 0.25

const ORDER = ['bad', 'notice', 'good'] as const

/** Findings, the worst first. */
export function findingsOf(facts: FindingFacts): ReportFinding[] {
  const findings = [...checkFindings(facts), ...checkpointFindings(facts), ...contentFindings(facts)]
  const { oversized, crashes, drained, command } = facts
  if (oversized.count > 0) {
    const count = countText(oversized.count, 'value')
    const text = `${count} ${oversized.count === 1 ? 'is' : 'are'} larger than 100 MiB: the rc script of Flux drops such values when it restores a dump`
    findings.push({ level: 'bad', text, command: null })
  }
  if (crashes > 0) {
    const text = `the instance ended ${countText(crashes, 'time')} without a shutdown`
    findings.push({ level: 'notice', text, command: command('kvs eventlog get admin.eventlog') })
  }
  if (drained > 0) {
    const text = `${countText(drained, 'node')} ${drained === 1 ? 'is' : 'are'} drained`
    findings.push({ level: 'notice', text, command: command('kvs eventlog get resource.eventlog') })
  }
  return findings.sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level))
}

function checkFindings({ checked, isUnverified, command }: FindingFacts): ReportFinding[] {
  const { errors, values, directories } = checked
  if (errors > 0)
    return [
      { level: 'bad', text: `${countText(errors, 'key')} cannot be read whole`, command: command('fsck', 'check') },
    ]
  const all = `${countText(values, 'value')} and ${grouped(directories)} ${directories === 1 ? 'directory' : 'directories'}`
  if (isUnverified) {
    const text = `${all} are there; blobs were not compared with their blobrefs`
    return [{ level: 'notice', text, command: command('fsck', 'check') }]
  }
  return [{ level: 'good', text: `${all} are whole`, command: command('fsck', 'check') }]
}

function checkpointFindings({ checkpoints, isLive, created, ahead, kind, command }: FindingFacts): ReportFinding[] {
  const list = command('content checkpoint list', 'store')
  const [newest] = checkpoints
  if (newest === undefined) return [{ level: 'bad', text: 'there is no checkpoint', command: list }]
  if (kind === 'archive') return []
  const findings: ReportFinding[] = []
  const damaged = checkpoints.filter(({ errors }) => errors !== null && errors > 0).length
  if (damaged > 0) {
    const text = `${grouped(damaged)} of ${countText(checkpoints.length, 'checkpoint')} ${damaged === 1 ? 'is' : 'are'} damaged`
    findings.push({ level: 'bad', text, command: command('fsck --all', 'store') })
  }
  const age = created - newest.timestamp
  if (isLive && newest.timestamp > 0) {
    const text = `the newest checkpoint is ${durationText(Math.max(0, age))} old`
    findings.push({ level: age > LATE ? 'notice' : 'good', text, command: list })
  } else if (ahead !== undefined && ahead.seconds > AHEAD) {
    const text = `the store has events that are ${durationText(ahead.seconds)} later than its newest checkpoint`
    findings.push({ level: 'bad', text, command: command('content roots', 'store') })
  }
  return findings
}

function contentFindings({ content, command }: FindingFacts): ReportFinding[] {
  if (content === null) return []
  const findings: ReportFinding[] = []
  const stats = command('content stats --reachable', 'store')
  const { storedBytes, garbageStoredBytes, fileBytes, freePages, pageSize } = content
  if (storedBytes > 0 && garbageStoredBytes / storedBytes > MUCH_GARBAGE) {
    const text = `${byteText(garbageStoredBytes)} of ${byteText(storedBytes)} in the store are garbage`
    findings.push({ level: 'notice', text, command: stats })
  }
  const free = (freePages ?? 0) * (pageSize ?? 0)
  if (fileBytes !== null && fileBytes > 0 && free / fileBytes > MUCH_FREE) {
    const text = `${byteText(free)} of ${byteText(fileBytes)} in the database file are free`
    findings.push({ level: 'notice', text, command: stats })
  }
  return findings
}
