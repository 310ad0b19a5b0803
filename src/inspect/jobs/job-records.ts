/** Everything that the KVS holds of one job. */
import { FluxError } from '../../errors/index.ts'
import {
  componentsOf,
  decodeVal,
  formatJobid,
  isNoSuchKey,
  jobKey,
  linkText,
  type Snapshot,
  SnapshotReader,
  selectKeys,
  streamValue,
  type TreeError,
  type Val,
  type Valref,
  walk,
} from '../../kvs/index.ts'

/** Larger records are not held. */
const HELD_BYTES = 1 << 20

/** One key below the directory of a job. */
export interface JobRecord {
  /** From there on: `eventlog`, `guest.exec.eventlog`. */
  readonly name: string
  /** Bytes of the value; 0 for a link. */
  readonly size: number
  /** The value, unless it is larger than 1 MiB. */
  readonly value: Uint8Array | undefined
  /** Where a symbolic link leads, with its namespace. The guest namespace of a running job is one. */
  readonly link: string | undefined
}

/** What has to be known of a snapshot to look for jobs in it. */
export type JobsRoot = Pick<Snapshot, 'store' | 'rootref' | 'namespace'>

/** Who hears of what {@link jobRecords} cannot read. */
export interface JobRecordsOptions {
  /** Called for each record that cannot be read. Without it the first such error is thrown. */
  onFault?: ((fault: TreeError) => void) | undefined
  signal?: AbortSignal | undefined
}

/**
 * All records of a job, in the order of their names.
 *
 * @throws {FluxError} `ENOENT` there is no such job; {TreeError} the way to it is damaged
 */
export async function jobRecords(
  { store, rootref, namespace }: JobsRoot,
  id: bigint,
  { onFault, signal }: JobRecordsOptions = {},
): Promise<JobRecord[]> {
  const reader = new SnapshotReader(store, rootref, { namespace, signal })
  const root = await selectKeys(reader, [jobKey(id)]).catch((error) => {
    throw noSuchJob(error, id)
  })
  const depth = jobKey(id).split('.').length
  const records: JobRecord[] = []
  for await (const batch of walk(store, root, { onError: onFault, signal })) {
    for (const entry of batch) {
      const name = componentsOf(entry.dir, entry.name).slice(depth).join('.')
      if (entry.type === 'symlink') {
        const link = linkText(entry)
        records.push({ name, size: 0, value: undefined, link })
      } else {
        // The parts are views of what a whole batch of others lies in too.
        const value = entry.size <= HELD_BYTES && entry.parts ? Buffer.concat(entry.parts) : undefined
        records.push({ name, size: entry.size, value, link: undefined })
      }
    }
  }
  return records
}

/**
 * One record of a job, however large, as it is stored.
 *
 * @param name - as of {@link JobRecord}
 * @throws {FluxError} `ENOENT` no such job, or no such record of it; {TreeError} it is damaged
 */
export async function jobRecord(
  { store, rootref, namespace }: JobsRoot,
  id: bigint,
  name: string,
  signal?: AbortSignal,
): Promise<AsyncIterable<readonly Uint8Array[]>> {
  const reader = new SnapshotReader(store, rootref, { namespace })
  const key = `${jobKey(id)}.${name}`
  await reader.lookup(jobKey(id), 'dir').catch((error) => {
    throw noSuchJob(error, id)
  })
  const value: Val | Valref = await reader.lookup(key)
  if (value.type === 'valref') return streamValue(store, key, value.data, signal)
  return once([decodeVal(value)])
}

async function* once<T>(item: T): AsyncGenerator<T, void, void> {
  yield item
}

function noSuchJob(error: unknown, id: bigint): unknown {
  if (!isNoSuchKey(error)) return error
  return new FluxError('ENOENT', `${formatJobid(id)} (${jobKey(id)}): no such job in the snapshot`, { cause: error })
}
