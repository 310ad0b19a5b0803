/**
 * The jobs of a snapshot, newest first, built from the records in their directories. One walk loads only these records,
 * and keeps at most one batch in memory. A job with damaged records is still listed, as long as anything of it is left.
 */
import {
  type Dir,
  type DirObj,
  type Entry,
  isNoSuchKey,
  jobKey,
  keyOf,
  parseJobid,
  SnapshotReader,
  type SnapshotRoot,
  selectKeys,
  type TreeError,
  type WalkFilter,
  walk,
} from '../../kvs/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { type Job, type JobProblem, type JobRecords, jobProblem } from './job.ts'
import { type JobFilterOptions, jobFilter } from './job-filter.ts'
import { jobOf } from './job-of.ts'

/**
 * Options of {@link jobs}. A fault is an unreadable directory that may have held jobs; these are missing in the result.
 */
export interface JobsOptions extends InspectOptions {
  /** List only these jobs. */
  ids?: readonly bigint[] | undefined
  /** Give each job the texts that it was built from, as {@link Job.records}. */
  keepRecords?: boolean | undefined
  /** List only jobs that pass these tests. */
  filter?: JobFilterOptions | undefined
  /** End after so many jobs. */
  count?: number | undefined
  /** Called with the number of jobs that were read so far: those that `filter` leaves out too. */
  onRead?: ((count: number) => void) | undefined
}

/** Components in the key of a job's directory: `job`, and four times four hexadecimal digits. */
const JOB_DEPTH = 5

const RECORDS: ReadonlySet<string> = new Set<keyof JobRecords>(['eventlog', 'jobspec', 'R'])
const FOUR_DIGITS = /^[0-9a-f]{4}$/

/** Limits a walk to the records of jobs. */
const JOB_RECORDS: WalkFilter = {
  takes: (dir, name) => RECORDS.has(name) && depthOf(dir) === JOB_DEPTH,
  enters(dir, name) {
    const depth = depthOf(dir)
    return depth === 0 ? name === 'job' : depth < JOB_DEPTH && FOUR_DIGITS.test(name)
  },
}

function depthOf(dir: Dir): number {
  let depth = 0
  for (let at: Dir | undefined = dir; at?.parent !== undefined; at = at.parent) depth++
  return depth
}

/** A job whose records are being collected. */
interface Gathering {
  id: bigint
  records: JobRecords
  problems: JobProblem[]
}

/**
 * List the jobs of a snapshot.
 *
 * @yields batches of jobs, highest id first; no batch is empty
 * @throws {FluxError} `ENOENT` one of `ids` does not exist
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 * @throws {TreeError} the root or `job` is damaged
 */
export async function* jobs(snapshot: SnapshotRoot, options: JobsOptions = {}): AsyncGenerator<Job[], void, void> {
  const { ids, keepRecords = false, filter = {}, count = Number.POSITIVE_INFINITY, onRead, signal } = options
  const toJob = keepRecords ? jobWithRecords : plainJob
  const wanted = jobFilter(filter)
  let read = 0
  let left = count
  const select = (gathered: Gathering[]): Job[] => {
    read += gathered.length
    onRead?.(read)
    const found = gathered.map(toJob).filter(wanted).slice(0, left)
    left -= found.length
    return found
  }
  const report = faultReporter(options)
  const root = await rootOf(new SnapshotReader(snapshot), ids)
  if (root === undefined) return
  const gathering: Gathering[] = []
  const begin = (key: string): Gathering => {
    const job = { id: parseJobid(key), records: {}, problems: [] }
    gathering.push(job)
    return job
  }
  const onFault = (error: TreeError) => {
    const components = error.key.split('.')
    // Faults come in the order of the walk, so that of a record belongs to the directory entered last.
    const problem = (record: JobProblem['record']) => jobProblem(record, error.faultKind, error.reason)
    if (components.length === JOB_DEPTH) begin(error.key).problems.push(problem('directory'))
    else if (components.length > JOB_DEPTH)
      gathering.at(-1)?.problems.push(problem(components.at(-1) as keyof JobRecords))
    else report(error)
  }
  const onDir = (dir: Dir) => {
    if (depthOf(dir) === JOB_DEPTH) dir.derived = begin(keyOf(dir.parent, dir.name))
  }
  for await (const batch of walk(snapshot.store, root, {
    filter: JOB_RECORDS,
    reverse: true,
    onDir,
    onFault,
    signal,
  })) {
    for (const entry of batch) await take(entry)
    // The next batch may hold more records of the last job.
    const done = gathering.splice(0, gathering.length - 1)
    const found = select(done)
    if (found.length > 0) yield found
    if (left === 0) return
  }
  const found = select(gathering)
  if (found.length > 0) yield found
}

async function rootOf(reader: SnapshotReader, ids: readonly bigint[] | undefined): Promise<DirObj | undefined> {
  try {
    return await selectKeys(reader, ids?.map(jobKey) ?? ['job'])
  } catch (error) {
    // An instance that never had a job has no `job` directory.
    if (ids === undefined && isNoSuchKey(error)) return undefined
    throw error
  }
}

async function take(entry: Entry): Promise<void> {
  const { records, problems } = entry.dir.derived as Gathering
  if (entry.type === 'symlink') {
    problems.push(jobProblem(entry.name as keyof JobRecords, 'a symbolic link'))
    return
  }
  const parts: Uint8Array[] = [...(entry.parts ?? [])]
  // The views of one piece are valid only until the next piece is requested, so they are copied.
  if (entry.stream) for await (const more of entry.stream()) parts.push(Buffer.concat(more))
  const [only] = parts
  const bytes =
    parts.length === 1 && only ? Buffer.from(only.buffer, only.byteOffset, only.length) : Buffer.concat(parts)
  records[entry.name as keyof JobRecords] = bytes.toString()
}

function plainJob({ id, records, problems }: Gathering): Job {
  return jobOf(id, records, problems)
}

function jobWithRecords({ id, records, problems }: Gathering): Job {
  return Object.assign(jobOf(id, records, problems), { records })
}
