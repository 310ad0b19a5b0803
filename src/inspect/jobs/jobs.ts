/**
 * The jobs of a snapshot, built from their records. A job with damaged records is listed with the facts that are left.
 */
import { FluxError } from '../../errors/index.ts'
import {
  type DirObj,
  formatJobid,
  isNoSuchKey,
  jobKey,
  SnapshotReader,
  type SnapshotRoot,
  selectKeys,
  type TreeError,
} from '../../kvs/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import type { Job, JobRecords } from './job.ts'
import { filteredRecords, type JobFilterOptions, jobFilter } from './job-filter.ts'
import { jobOf } from './job-of.ts'
import { compareJobs, jobPhase } from './job-order.ts'
import { JobSieve } from './job-sieve.ts'
import { type Gathered, type GatherOptions, gatherJobs, type RecordName } from './job-walk.ts'

/**
 * Options of {@link jobs}. A fault is an unreadable directory that may have held jobs; these are missing in the result.
 */
export interface JobsOptions extends InspectOptions {
  /** List only these jobs. */
  ids?: readonly bigint[] | undefined
  /**
   * Called, after the jobs that exist, with an error for each of `ids` that does not: `ENOENT` (default: the first such
   * error is thrown).
   */
  onMissing?: ((error: FluxError) => void) | undefined
  /** Give each job the texts that it was built from, as {@link Job.records}. */
  keepRecords?: boolean | undefined
  /**
   * Read only these records, and those that `filter` needs (default: all). What the others tell is undefined, and that
   * one is missing is no problem.
   */
  records?: readonly (keyof JobRecords)[] | undefined
  /** List only jobs that pass these tests. */
  filter?: JobFilterOptions | undefined
  /** List only so many: the first in the order of `flux jobs`, and in that order. */
  count?: number | undefined
  /** Called with the number of jobs that were met so far: those that are not listed too. */
  onRead?: ((count: number) => void) | undefined
}

const ALL_RECORDS: readonly RecordName[] = ['eventlog', 'jobspec', 'R']

/** Jobs that are read together, after they were chosen. */
const CHUNK = 512

/**
 * List the jobs of a snapshot. Where `filter` or `count` leave out most jobs, only a few small blobs of these are read:
 * see job-sieve.ts.
 *
 * @yields batches of jobs, highest id first unless there is a `count`; no batch is empty
 * @throws {FluxError} `ENOENT` one of `ids` does not exist, and there is no `onMissing`
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 * @throws {TreeError} the root or `job` is damaged
 */
export async function* jobs(snapshot: SnapshotRoot, options: JobsOptions = {}): AsyncGenerator<Job[], void, void> {
  const { ids, count } = options
  const root = await rootOf(new SnapshotReader(snapshot))
  if (count === 0) return
  if (root === undefined) {
    for (const id of ids ?? []) miss(id, options)
    return
  }
  const reading = new JobsReading(snapshot, root, options)
  const batches = ids === undefined ? batchesOf(reading, options) : reading.named(ids)
  for await (const batch of batches) if (batch.length > 0) yield batch
}

async function rootOf(reader: SnapshotReader): Promise<DirObj | undefined> {
  try {
    return await selectKeys(reader, ['job'])
  } catch (error) {
    // An instance that never had a job has no `job` directory.
    if (isNoSuchKey(error)) return undefined
    throw error
  }
}

function batchesOf(reading: JobsReading, { filter = {}, count }: JobsOptions): AsyncGenerator<Job[]> {
  const sieve = JobSieve.of(filter, count !== undefined)
  if (sieve === undefined) return reading.all()
  return count === undefined ? reading.sieved(sieve) : reading.first(sieve, count)
}

function miss(id: bigint, { onMissing }: JobsOptions): void {
  const error = noSuchJob(id)
  if (onMissing === undefined) throw error
  onMissing(error)
}

/** The error for a job that a snapshot does not hold. */
export function noSuchJob(id: bigint, cause?: unknown): FluxError {
  return new FluxError('ENOENT', `${formatJobid(id)} (${jobKey(id)}): no such job in the snapshot`, { cause })
}

/** One listing. */
class JobsReading {
  readonly #snapshot: SnapshotRoot
  readonly #root: DirObj
  readonly #options: JobsOptions
  readonly #records: ReadonlySet<RecordName>
  readonly #isWanted: (job: Job) => boolean
  readonly #onFault: (error: TreeError) => void
  #met = 0

  constructor(snapshot: SnapshotRoot, root: DirObj, options: JobsOptions) {
    const { keepRecords, records = ALL_RECORDS, filter = {} } = options
    this.#snapshot = snapshot
    this.#root = root
    this.#options = options
    this.#records = new Set(keepRecords ? ALL_RECORDS : [...records, ...filteredRecords(filter)])
    this.#isWanted = jobFilter(filter)
    this.#onFault = faultReporter(options)
  }

  /** Read all jobs, whole. */
  async *all(): AsyncGenerator<Job[]> {
    for await (const batch of this.#gather(this.#records)) {
      this.#meet(batch.length)
      yield this.#select(batch)
    }
  }

  /** Read these jobs, whole. */
  async *named(ids: readonly bigint[]): AsyncGenerator<Job[]> {
    const missing = new Set(ids)
    const onFault = (error: TreeError) => {
      // Whether a damaged directory held a job, nothing tells.
      for (const id of missing) if (jobKey(id).startsWith(`${error.key}.`)) missing.delete(id)
      this.#onFault(error)
    }
    for await (const batch of this.#gather(this.#records, { ids, onFault })) {
      this.#meet(batch.length)
      for (const { id } of batch) missing.delete(id)
      yield this.#select(batch)
    }
    for (const id of missing) miss(id, this.#options)
  }

  /** Read the ends of the jobs, and whole only those that may be wanted. */
  async *sieved(sieve: JobSieve): AsyncGenerator<Job[]> {
    let ids: bigint[] = []
    for await (const batch of this.#gather(sieve.records, { ends: true })) {
      this.#meet(batch.length)
      for (const gathered of batch) if (sieve.sieve(gathered)) ids.push(gathered.id)
      if (ids.length < CHUNK) continue
      yield* this.#whole(ids)
      ids = []
    }
    yield* this.#whole(ids)
  }

  /** The first `count` jobs in the order of `flux jobs`. */
  async *first(sieve: JobSieve, count: number): AsyncGenerator<Job[]> {
    const open: bigint[] = []
    const ended: { id: bigint; ended: number }[] = []
    for await (const batch of this.#gather(sieve.records, { ends: true })) {
      this.#meet(batch.length)
      for (const gathered of batch) {
        const found = sieve.sieve(gathered)
        if (found?.ended === undefined) {
          if (found) open.push(found.id)
        } else ended.push({ id: found.id, ended: found.ended })
      }
    }
    const found: Job[] = []
    for await (const jobs of this.#whole(open)) found.push(...jobs)
    let left = count - found.filter((job) => !['inactive', 'unknown'].includes(jobPhase(job))).length
    ended.sort((a, b) => b.ended - a.ended || (a.id < b.id ? 1 : -1))
    for (let at = 0; at < ended.length && left > 0; ) {
      const some = ended.slice(at, at + Math.min(CHUNK, Math.max(left, 16)))
      at += some.length
      for await (const jobs of this.#whole(some.map(({ id }) => id))) {
        found.push(...jobs)
        left -= jobs.length
      }
    }
    yield found.sort(compareJobs).slice(0, count)
  }

  /** Read jobs whole, and select those that are wanted. */
  async *#whole(ids: readonly bigint[]): AsyncGenerator<Job[]> {
    if (ids.length === 0) return
    for await (const batch of this.#gather(this.#records, { ids })) yield this.#select(batch)
  }

  #gather(records: ReadonlySet<RecordName>, how: Partial<Omit<GatherOptions, 'records' | 'signal'>> = {}) {
    const { signal } = this.#options
    return gatherJobs(this.#snapshot.store, this.#root, { onFault: this.#onFault, ...how, records, signal })
  }

  #select(batch: readonly Gathered[]): Job[] {
    const { keepRecords } = this.#options
    const found: Job[] = []
    for (const { id, records, problems } of batch) {
      const job = jobOf(id, records, problems, this.#records)
      if (!this.#isWanted(job)) continue
      if (keepRecords) job.records = records
      found.push(job)
    }
    return found
  }

  #meet(count: number): void {
    this.#met += count
    this.#options.onRead?.(this.#met)
  }
}
