import { parseJson } from '../bytes/index.ts'
import { isBlobref } from '../content/index.ts'
import { isNoSuchKey, SnapshotReader } from './lookup.ts'
import type { SnapshotRoot } from './snapshot.ts'

/** The root of the namespace of a running job. */
export interface NamespaceRootref {
  /** The id of the job. */
  readonly jobid: number | bigint
  readonly rootref: string
}

/** Where job-exec recorded them. */
const KEY = 'job-exec.kvs-namespaces'

/**
 * The namespaces of jobs that were running when an instance was shut down. Until flux-core pull request 7719, job-exec
 * wrote their roots into one value, and no directory refers to them. The value is not removed when the jobs are over, so
 * such a root may be of no use any more, and its blobs may be gone.
 *
 * @returns empty when there are none, or the value is not what job-exec writes
 * @throws {TreeError} the value cannot be read
 * @throws {FluxError} the store as a whole fails
 * @see flux-core v0.80, `src/modules/job-exec/checkpoint.c`
 */
export async function namespaceRoots(
  snapshot: SnapshotRoot,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<NamespaceRootref[]> {
  const pieces: Uint8Array[] = []
  try {
    for await (const batch of new SnapshotReader(snapshot, options).read(KEY)) {
      for (const piece of batch) pieces.push(Uint8Array.from(piece))
    }
  } catch (error) {
    if (isNoSuchKey(error)) return []
    throw error
  }
  let list: unknown
  try {
    list = parseJson(Buffer.concat(pieces).toString())
  } catch {
    return []
  }
  if (!Array.isArray(list)) return []
  return list.flatMap((entry: unknown) => {
    const { id, kvsroot } = (entry ?? {}) as Record<string, unknown>
    return isBlobref(kvsroot) && (typeof id === 'number' || typeof id === 'bigint')
      ? [{ jobid: id, rootref: kvsroot }]
      : []
  })
}
