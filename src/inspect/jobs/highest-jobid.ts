/** Finds the highest job id of a snapshot: an instance must not give out an id twice (RFC 19). */
import { parseJson } from '../../bytes/index.ts'
import type { KvsReader } from '../../kvs/index.ts'
import { isRecord, type JsonRecord } from '../json.ts'
import { found, newestJobids } from './newest-jobids.ts'

/** Where the job manager keeps the highest id that was given out. @see flux-core `src/modules/job-manager/restart.c` */
export const JOB_MANAGER_KEY = 'checkpoint.job-manager'

/**
 * The highest id of the job directories. It reads the last directory of each level, and more only where one is empty or
 * damaged.
 *
 * @returns undefined when there is no job
 * @throws {FluxError} the store as a whole fails
 */
export async function highestJobid(reader: KvsReader): Promise<bigint | undefined> {
  for await (const id of newestJobids(reader)) return id
  return undefined
}

/** What the job manager has written down. */
export interface JobManagerState {
  readonly maxJobid: bigint | undefined
  /** All members, for writing it again. Integers beyond 2^53 are bigints. */
  readonly json: JsonRecord
}

/** The checkpoint of the job manager; undefined when it does not exist or makes no sense. */
export async function jobManagerState(reader: KvsReader): Promise<JobManagerState | undefined> {
  const parts: Uint8Array[] = []
  const isRead = await found(async () => {
    for await (const batch of reader.read(JOB_MANAGER_KEY)) for (const part of batch) parts.push(Buffer.from(part))
    return true
  })
  if (!isRead) return undefined
  try {
    const json = parseJson(Buffer.concat(parts).toString())
    if (!isRecord(json)) return undefined
    const { max_jobid: max } = json
    return { json, maxJobid: typeof max === 'bigint' || Number.isSafeInteger(max) ? BigInt(max as number) : undefined }
  } catch {
    return undefined
  }
}
