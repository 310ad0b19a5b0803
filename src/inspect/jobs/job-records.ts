/** Reads all records that the KVS holds for one job. */
import {
  componentsOf,
  decodeVal,
  isNoSuchKey,
  jobKey,
  linkText,
  SnapshotReader,
  type SnapshotRoot,
  selectKeys,
  streamValue,
  type Val,
  type Valref,
  walk,
} from '../../kvs/index.ts'
import type { InspectOptions } from '../inspect-options.ts'
import { TOO_MANY_JOBS } from './job-walk.ts'
import { noSuchJob } from './jobs.ts'

/** The values of larger records are not kept in memory. */
const HELD_BYTES = 1 << 20

/** One key below the directory of a job. */
export interface JobRecord {
  /** The rest of the key: `eventlog`, `guest.exec.eventlog`. */
  readonly name: string
  /** Bytes of the value; 0 for a symbolic link. */
  readonly size: number
  /** The value, unless it is larger than 1 MiB. */
  readonly value: Uint8Array | undefined
  /** Target of a symbolic link, with its namespace. `guest` of a running job is a link to its guest namespace. */
  readonly link: string | undefined
}

/**
 * All records of a job, in the order of their names. A fault is a record that cannot be read.
 *
 * @throws {FluxError} `ENOENT` there is no such job
 * @throws {TreeError} a directory above it is damaged
 */
export async function jobRecords(
  snapshot: SnapshotRoot,
  id: bigint,
  { onFault, signal }: InspectOptions = {},
): Promise<JobRecord[]> {
  const reader = new SnapshotReader(snapshot, { signal })
  const root = await selectKeys(reader, [jobKey(id)]).catch((error) => {
    throw missingJob(error, id)
  })
  const depth = jobKey(id).split('.').length
  const records: JobRecord[] = []
  for await (const batch of walk(snapshot.store, root, { onFault, limitHint: TOO_MANY_JOBS, signal })) {
    for (const entry of batch) {
      const name = componentsOf(entry.dir, entry.name).slice(depth).join('.')
      if (entry.type === 'symlink') {
        const link = linkText(entry)
        records.push({ name, size: 0, value: undefined, link })
      } else {
        // The parts are views of a buffer that holds a whole batch, so they are copied.
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
 * @param name - see {@link JobRecord.name}
 * @throws {FluxError} `ENOENT` there is no such job, or it has no such record
 * @throws {TreeError} the record, or a directory above it, is damaged
 */
export async function jobRecord(
  snapshot: SnapshotRoot,
  id: bigint,
  name: string,
  signal?: AbortSignal,
): Promise<AsyncIterable<readonly Uint8Array[]>> {
  const reader = new SnapshotReader(snapshot)
  const key = `${jobKey(id)}.${name}`
  await reader.lookup(jobKey(id), 'dir').catch((error) => {
    throw missingJob(error, id)
  })
  const value: Val | Valref = await reader.lookup(key)
  if (value.type === 'valref') return streamValue(snapshot.store, key, value.data, signal)
  return once([decodeVal(value)])
}

async function* once<T>(item: T): AsyncGenerator<T, void, void> {
  yield item
}

function missingJob(error: unknown, id: bigint): unknown {
  return isNoSuchKey(error) ? noSuchJob(id, error) : error
}
