/**
 * The columns of an export. All formats are made from this list: the table `jobs` of a database, a CSV file, a Parquet
 * file. A column that `flux jobs --json` has too has its name and its value.
 */
import { stringifyJson } from '../bytes/index.ts'
import { type HeldTime, heldTime, jobReturncode, jobRuntime, jobStatus } from '../inspect/index.ts'
import { formatJobid } from '../kvs/index.ts'
import { type ExportJob, eventCount, wholeRecord } from './export-job.ts'

type JsonRecord = Readonly<Record<string, unknown>>

/** What a cell of each type holds, before a format writes it. Any cell can be empty: `undefined`. */
interface CellTypes {
  text: string
  /** Whole, and up to 2^53 - 1 either way. */
  integer: number
  /** Any 64 bits. */
  id: bigint
  real: number
  boolean: boolean
  /** Seconds since 1970. */
  time: number
  /** The text of a JSON value. */
  json: string
  list: readonly string[]
}

/** The types of columns. */
export type ColumnType = keyof CellTypes

interface ColumnOf<Type extends ColumnType> {
  readonly name: string
  readonly type: Type
  /** For the documentation, and for comments in a database. */
  readonly description: string
  /** True for a record that is exported whole, on request only. */
  readonly isRecord?: boolean
  /** The value of a job; undefined if its records do not tell it, or it does not apply. */
  of(job: ExportJob): CellTypes[Type] | undefined
}

/** A column, and how a job's value is found. */
export type Column = { [Type in ColumnType]: ColumnOf<Type> }[ColumnType]

/** The value of a job in a column; undefined for none. */
export type Cell = CellTypes[ColumnType] | undefined

const TIMES = [
  ['t_submit', 'when it was submitted'],
  ['t_depend', 'when it entered DEPEND'],
  ['t_priority', 'when it entered PRIORITY'],
  ['t_sched', 'when it entered SCHED'],
  ['t_alloc', 'when it got its resources'],
  ['t_run', 'when it entered RUN'],
  ['t_cleanup', 'when it entered CLEANUP'],
  ['t_free', 'when it gave its resources back'],
  ['t_inactive', 'when it entered INACTIVE'],
] as const

/** The columns, in their order. */
export const COLUMNS: readonly Column[] = [
  { name: 'cluster', type: 'text', description: 'the name given by --cluster, or empty', of: ({ cluster }) => cluster },
  { name: 'id', type: 'id', description: 'job id, as a number', of: ({ job }) => BigInt.asIntN(64, job.id) },
  { name: 'jobid', type: 'text', description: 'job id in F58', of: ({ job }) => formatJobid(job.id) },
  { name: 'userid', type: 'integer', description: 'user id', of: ({ job }) => job.userid },
  { name: 'username', type: 'text', description: 'name of the user, where exported', of: ({ username }) => username },
  { name: 'name', type: 'text', description: 'job name', of: ({ job }) => text(job.name) },
  { name: 'cwd', type: 'text', description: 'working directory', of: ({ job }) => text(job.cwd) },
  { name: 'queue', type: 'text', description: 'queue', of: ({ job }) => text(job.queue) },
  { name: 'project', type: 'text', description: 'accounting project', of: ({ job }) => text(job.project) },
  { name: 'bank', type: 'text', description: 'accounting bank', of: ({ job }) => text(job.bank) },
  { name: 'urgency', type: 'integer', description: 'urgency, 0 to 31', of: ({ job }) => job.urgency },
  { name: 'priority', type: 'integer', description: 'priority, 0 to 2^32 - 1', of: ({ job }) => job.priority },
  {
    name: 'state',
    type: 'text',
    description: 'state when it was exported; INACTIVE has ended, UNKNOWN has lost its eventlog',
    of: ({ job }) => job.state,
  },
  {
    name: 'status',
    type: 'text',
    description: 'result of an ended job, else the state',
    of: ({ job }) => jobStatus(job),
  },
  {
    name: 'result',
    type: 'text',
    description: 'COMPLETED, FAILED, CANCELED or TIMEOUT; only of an ended job',
    of: ({ job }) => job.result,
  },
  { name: 'success', type: 'boolean', description: 'whether it has succeeded', of: ({ job }) => job.success },
  {
    name: 'returncode',
    type: 'integer',
    description: 'exit status, or the negative number of the signal; -128 was canceled before it ran',
    of: ({ job }) => jobReturncode(job),
  },
  {
    name: 'waitstatus',
    type: 'integer',
    description: 'wait status, as of waitpid(2)',
    of: ({ job }) => job.waitstatus,
  },
  {
    name: 'exception_type',
    type: 'text',
    description: 'type of the worst exception',
    of: ({ job }) => job.exception?.type,
  },
  {
    name: 'exception_severity',
    type: 'integer',
    description: 'severity of it; 0 is fatal',
    of: ({ job }) => job.exception?.severity,
  },
  { name: 'exception_note', type: 'text', description: 'note of it', of: ({ job }) => job.exception?.note },
  {
    name: 'duration',
    type: 'real',
    description: 'time limit asked for, in seconds; 0 is none',
    of: ({ job }) => job.duration ?? 0,
  },
  {
    name: 'expiration',
    type: 'time',
    description: 'when the allocation ends at the latest',
    of: ({ job }) => job.expiration || undefined,
  },
  { name: 'nnodes', type: 'integer', description: 'nodes, allocated or asked for', of: ({ job }) => job.nnodes },
  { name: 'ntasks', type: 'integer', description: 'tasks', of: ({ job }) => job.ntasks },
  { name: 'ncores', type: 'integer', description: 'cores, allocated or asked for', of: ({ job }) => job.ncores },
  { name: 'ngpus', type: 'integer', description: 'GPUs, allocated', of: ({ job }) => job.ngpus },
  { name: 'ranks', type: 'text', description: 'broker ranks, as an idset (RFC 22)', of: ({ job }) => text(job.ranks) },
  { name: 'nodelist', type: 'text', description: 'hosts, as a hostlist (RFC 29)', of: ({ job }) => text(job.nodelist) },
  ...TIMES.map(([name, description]) => ({
    name,
    type: 'time' as const,
    description,
    of: ({ job }: ExportJob) => job[name],
  })),
  {
    name: 'runtime',
    type: 'real',
    description: 'seconds from RUN to CLEANUP',
    of: ({ job }) => jobRuntime(job) || undefined,
  },
  {
    name: 'wait',
    type: 'real',
    description: 'seconds from its submission to its allocation',
    of: ({ job: { t_submit, t_alloc } }) => waitOf(t_submit, t_alloc),
  },
  used('node_hours', 'nodes times the hours for which it held them; empty while it holds them', 'nodeSeconds'),
  used('core_hours', 'the same for cores', 'coreSeconds'),
  used('gpu_hours', 'the same for GPUs', 'gpuSeconds'),
  {
    name: 'uri',
    type: 'text',
    description: "URI of the job's own instance",
    of: ({ job }) => uriOf(job.annotations),
  },
  {
    name: 'dependencies',
    type: 'list',
    description: 'dependencies that it still waits for',
    of: ({ job }) => (job.dependencies.length > 0 ? job.dependencies : undefined),
  },
  {
    name: 'annotations',
    type: 'json',
    description: 'annotations',
    of: ({ job }) => annotationsOf(job.annotations),
  },
  {
    name: 'problems',
    type: 'list',
    description: 'what is wrong with its records',
    of: ({ job }) => (job.problems.length > 0 ? job.problems.map(({ message }) => message) : undefined),
  },
  { name: 'nevents', type: 'integer', description: 'lines in its eventlog', of: eventCount },
  record('jobspec', 'the jobspec (RFC 25), JSON; only with --with jobspec'),
  record('R', 'the resource set (RFC 20), JSON; only with --with R'),
  record('eventlog', 'the eventlog (RFC 18), JSON lines; only with --with eventlog'),
]

/** The columns that are always filled. */
export const FACTS = COLUMNS.filter(({ isRecord = false }) => !isRecord)

function used(name: string, description: string, member: keyof HeldTime): Column {
  return {
    name,
    type: 'real',
    description,
    of: ({ job }) => {
      const held = heldTime(job)
      return held && held[member] / 3600
    },
  }
}

/** As the figures count it: clocks may be set back. */
function waitOf(t_submit: number | undefined, t_alloc: number | undefined): number | undefined {
  return t_submit === undefined || t_alloc === undefined ? undefined : Math.max(0, t_alloc - t_submit)
}

function record(name: 'jobspec' | 'R' | 'eventlog', description: string): Column {
  return { name, type: 'text', description, isRecord: true, of: (job) => wholeRecord(job, name) }
}

/** An empty text is no value, as in `flux jobs --json`. */
function text(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

/** Without the URI, which has a column of its own. */
function annotationsOf(annotations: JsonRecord | undefined): string | undefined {
  if (annotations === undefined) return undefined
  if (uriOf(annotations) === undefined) return stringifyJson(annotations)
  const { uri: _, ...user } = annotations.user as JsonRecord
  const { user: __, ...rest } = annotations
  const others = Object.keys(user).length > 0 ? { ...rest, user } : rest
  return Object.keys(others).length > 0 ? stringifyJson(others) : undefined
}

function uriOf(annotations: JsonRecord | undefined): string | undefined {
  const { uri } = (annotations?.user ?? {}) as JsonRecord
  return typeof uri === 'string' ? uri : undefined
}
