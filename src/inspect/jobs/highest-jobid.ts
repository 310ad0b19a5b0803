/** Finds the highest job id of a snapshot: an instance must not give out an id twice (RFC 19). */
import { parseJson } from '../../bytes/index.ts'
import { FluxError } from '../../errors/index.ts'
import { type Child, type DirObj, type Dirref, isDir, type KvsReader, parseJobid } from '../../kvs/index.ts'
import { isRecord, type JsonRecord } from '../json.ts'

/** Where the job manager keeps the highest id that was given out. @see flux-core `src/modules/job-manager/restart.c` */
export const JOB_MANAGER_KEY = 'checkpoint.job-manager'

const FOUR_DIGITS = /^[0-9a-f]{4}$/
const LEVELS = 4

/**
 * The highest id of the job directories. It reads the last directory of each level, and more only where one is empty or
 * damaged.
 *
 * @returns undefined when there is no job
 * @throws {FluxError} the store as a whole fails
 */
export async function highestJobid(reader: KvsReader): Promise<bigint | undefined> {
  const top = await found(() => reader.lookup('job', 'dir'))
  return top && highestBelow(reader, 'job', top, 1)
}

async function highestBelow(reader: KvsReader, key: string, dir: DirObj, level: number): Promise<bigint | undefined> {
  const names = Object.keys(dir.data).filter((name) => FOUR_DIGITS.test(name))
  for (const name of names.sort().reverse()) {
    const obj = dir.data[name]
    if (obj === undefined || !isDir(obj)) continue
    const child: Child<DirObj | Dirref> = { key: `${key}.${name}`, obj }
    // A damaged directory of a job still tells its id.
    if (level === LEVELS) return parseJobid(child.key)
    const [inside] = await reader.openDirs([child])
    const id =
      inside === undefined || inside instanceof FluxError
        ? undefined
        : await highestBelow(reader, child.key, inside, level + 1)
    if (id !== undefined) return id
  }
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

/** The result of a look-up; undefined when the key does not exist or cannot be read. */
async function found<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof FluxError) || error.code === 'EINTR' || error.code === 'ETIMEDOUT') throw error
    return undefined
  }
}
