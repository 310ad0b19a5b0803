/**
 * What becomes of a job that an export has already. A history is appended to every night, perhaps also from backups that
 * are older than the history, so what is better known wins, whichever came first.
 */
import { FluxError } from '../errors/index.ts'
import { COLUMNS } from './columns.ts'

/** The cells of a job, in the order of {@link COLUMNS}, as a format stores them. An empty cell is null. */
export type Row = readonly unknown[]

/** How many jobs were new in an export, are known better than before, and stayed as they were. */
export interface ExportCounts {
  added: number
  completed: number
  unchanged: number
}

const at = (name: string) => COLUMNS.findIndex((column) => column.name === name)
const [ID, JOBID, USERID, STATE, SUBMIT] = [at('id'), at('jobid'), at('userid'), at('state'), at('t_submit')]
const [PROBLEMS, EVENTS] = [at('problems'), at('nevents')]
const RECORDS = COLUMNS.flatMap(({ isRecord }, i) => (isRecord ? [i] : []))
const EVENTLOG = at('eventlog')

/** The result of {@link mergeRows}. */
export interface Merged {
  readonly row: Row
  /** True when the facts, events and nodes are the new ones; false when only whole records were added. */
  readonly isNewer: boolean
}

/**
 * Merge what an export has of a job with what a snapshot tells.
 *
 * @returns undefined when the export knows the job as well already
 * @throws {FluxError} `EEXIST` they are two jobs that have the same id
 */
export function mergeRows(old: Row, row: Row, file: string): Merged | undefined {
  assertSame(old, row, file)
  if (isBetter(row, old)) {
    // A damaged record hides facts that were known before.
    const hides = row[PROBLEMS] !== null
    const merged = row.map((cell, i) => cell ?? (hides || (RECORDS.includes(i) && i !== EVENTLOG) ? old[i] : null))
    merged[PROBLEMS] = row[PROBLEMS]
    return { row: merged, isNewer: true }
  }
  const isOlder = isBetter(old, row)
  // The eventlog of an older snapshot would not fit the facts.
  const isWanted = (i: number) => old[i] === null && row[i] !== null && !(isOlder && i === EVENTLOG)
  if (!RECORDS.some(isWanted)) return undefined
  return { row: old.map((cell, i) => (RECORDS.includes(i) && isWanted(i) ? row[i] : cell)), isNewer: false }
}

function isBetter(a: Row, b: Row): boolean {
  const [first, second] = [merit(a), merit(b)]
  for (let i = 0; i < first.length; i++) {
    const difference = (first[i] as number) - (second[i] as number)
    if (difference !== 0) return difference > 0
  }
  return false
}

/** How well a job is known. The first number that differs decides. */
function merit(row: Row): readonly number[] {
  const state = row[STATE] === 'INACTIVE' ? 2 : row[STATE] === 'UNKNOWN' ? 0 : 1
  return [state, Number(row[EVENTS]), row[PROBLEMS] === null ? 1 : 0]
}

/** Ids are counted from the first start of an instance, so two instances can give out the same. */
function assertSame(old: Row, row: Row, file: string): void {
  const differ = (i: number) => old[i] !== null && row[i] !== null && Number(old[i]) !== Number(row[i])
  if (old[ID] === row[ID] && !differ(USERID) && !differ(SUBMIT)) return
  throw new FluxError('EEXIST', `${file}: its ${row[JOBID]} is another job than that of the snapshot`, {
    hint: 'jobs of two instances in one file need names: --cluster NAME',
  })
}
