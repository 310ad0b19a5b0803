/** The jobs of a snapshot, built from their records. A job with damaged records is still listed, as long as anything of it is left. */
import {
  type DirObj,
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
import { type Gathered, gatherJobs, type RecordName } from './job-walk.ts'

/**
 * Options of {@link jobs}. A fault is an unreadable directory that may have held jobs; these are missing in the result.
 */
export interface JobsOptions extends InspectOptions {
  /** List only these jobs. */
  ids?: readonly bigint[] | undefined
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
 * @throws {FluxError} `ENOENT` one of `ids` does not exist
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 * @throws {TreeError} the root or `job` is damaged
 */
export async function* jobs(snapshot: SnapshotRoot, options: JobsOptions = {}): AsyncGenerator<Job[], void, void> {
  const { ids, filter = {}, count } = options
  const root = await rootOf(new SnapshotReader(snapshot), ids)
  if (root === undefined || count === 0) return
  const reading = new JobsReading(snapshot, root, options)
  const sieve = ids === undefined ? JobSieve.of(filter, count !== undefined) : undefined
  const batches = sieve ? (count === undefined ? reading.sieved(sieve) : reading.first(sieve, count)) : reading.all()
  for await (const batch of batches) if (batch.length > 0) yield batch
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

  #gather(records: ReadonlySet<RecordName>, how: { ends?: boolean; ids?: readonly bigint[] } = {}) {
    const { signal } = this.#options
    return gatherJobs(this.#snapshot.store, this.#root, { ...how, records, onFault: this.#onFault, signal })
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
