/** The schema of the Parquet files: the columns of all formats, and two lists, of hosts and of events. */
import type { SchemaElement } from 'hyparquet-writer'
import { stringifyJson } from '../../../bytes/index.ts'
import { allocatedNodes } from '../../../inspect/index.ts'
import { type Cell, COLUMNS, type Column } from '../../columns.ts'
import { type ExportJob, eventsOf } from '../../export-job.ts'
import type { Row } from '../../merge.ts'

/** A job as the files hold it. */
export interface ParquetRow {
  /** In the order of {@link COLUMNS}: whole numbers and times (microseconds since 1970) are bigints. */
  readonly cells: Row
  readonly hosts: readonly string[] | null
  readonly events: readonly ParquetEvent[] | null
}

interface ParquetEvent {
  /** Microseconds since 1970. */
  readonly timestamp: bigint
  readonly name: string
  /** JSON text. */
  readonly context: string | null
}

const MICROSECONDS = 1_000_000

/** The end of the year 9999, in seconds since 1970. Many programs know no later time. */
const LAST_TIME = 253_402_300_799

/** Microseconds, adjusted to UTC. Both ways to say so are written, as older readers know only the first. */
const TIME = {
  type: 'INT64',
  converted_type: 'TIMESTAMP_MICROS',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
} as const
const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const

const TYPES = {
  text: TEXT,
  integer: { type: 'INT64' },
  id: { type: 'INT64' },
  real: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  time: TIME,
  json: TEXT,
} as const

/** The names of the lists that come after the columns. */
const HOSTS = 'hosts'
const EVENTS = 'events'

/** The schema, depth first, as the file's metadata has it. */
export const SCHEMA: SchemaElement[] = [
  { name: 'schema', num_children: COLUMNS.length + 2 },
  ...COLUMNS.flatMap(elementsOf),
  ...textList(HOSTS),
  ...list(EVENTS, [
    { name: 'element', repetition_type: 'REQUIRED', num_children: 3 },
    { name: 'timestamp', repetition_type: 'REQUIRED', ...TIME },
    { name: 'name', repetition_type: 'REQUIRED', ...TEXT },
    { name: 'context', repetition_type: 'OPTIONAL', ...TEXT },
  ]),
]

function elementsOf({ name, type }: Column): SchemaElement[] {
  if (type === 'list') return textList(name)
  const isKey = name === 'cluster' || name === 'id'
  return [{ name, repetition_type: isKey ? 'REQUIRED' : 'OPTIONAL', ...TYPES[type] }]
}

function textList(name: string): SchemaElement[] {
  return list(name, [{ name: 'element', repetition_type: 'REQUIRED', ...TEXT }])
}

function list(name: string, element: SchemaElement[]): SchemaElement[] {
  return [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...element,
  ]
}

/** A job for the files. */
export function rowOf(job: ExportJob): ParquetRow {
  const hosts = allocatedNodes(job.job).flatMap(({ host }) => host ?? [])
  const events = eventsOf(job).map(({ timestamp, name, context }) => ({
    // An event has a time. One that cannot be right becomes the first or the last possible time.
    timestamp: microseconds(Math.min(Math.max(timestamp, 0), LAST_TIME)),
    name,
    context: context === undefined ? null : stringifyJson(context),
  }))
  return {
    cells: COLUMNS.map((column) => stored(column, column.of(job))),
    hosts: hosts.length > 0 ? hosts : null,
    events: events.length > 0 ? events : null,
  }
}

/** A number that does not fit into its column, from a damaged record, becomes an empty cell. */
function stored({ type }: Column, cell: Cell): unknown {
  if (cell === undefined) return null
  if (type === 'time') return isPossibleTime(cell as number) ? microseconds(cell as number) : null
  if (type !== 'integer') return cell
  const whole = Math.trunc(cell as number)
  return Number.isSafeInteger(whole) ? BigInt(whole) : null
}

/** True for a time that the files can hold: from 1970 to 9999. */
export function isPossibleTime(seconds: number): boolean {
  return seconds >= 0 && seconds <= LAST_TIME
}

function microseconds(seconds: number): bigint {
  return BigInt(Math.round(seconds * MICROSECONDS))
}

/** The rows as columns, for the writer. */
export function columnsOf(rows: readonly ParquetRow[]): { name: string; data: unknown[] }[] {
  return [
    ...COLUMNS.map(({ name }, i) => ({ name, data: rows.map(({ cells }) => cells[i]) })),
    { name: HOSTS, data: rows.map(({ hosts }) => hosts) },
    { name: EVENTS, data: rows.map(({ events }) => events) },
  ]
}

/** A row that a file has. Columns that it lacks are empty. */
export function rowFrom(object: Readonly<Record<string, unknown>>): ParquetRow {
  return {
    cells: COLUMNS.map(({ name }) => object[name] ?? null),
    hosts: (object[HOSTS] ?? null) as ParquetRow['hosts'],
    events: (object[EVENTS] ?? null) as ParquetRow['events'],
  }
}
