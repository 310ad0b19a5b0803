/**
 * Roots that no directory refers to, and that still are in use: those of the namespaces of running jobs. Until flux-core
 * v0.88 (pull request 7719) an instance that was shut down with running jobs kept them as text, in the value of one key,
 * from which it made the namespaces again. A walk of the tree does not reach them.
 *
 * @see flux-core before that, `src/modules/job-exec/checkpoint.c`
 */
import { parseJson } from '../bytes/index.ts'
import { type ContentStore, isBlobref } from '../content/index.ts'
import { FluxError, throwIfAborted } from '../errors/index.ts'
import { isNoSuchKey, SnapshotReader } from './lookup.ts'
import type { SnapshotRoot } from './snapshot.ts'

/** The key of the value that names them. */
const JOB_NAMESPACES_KEY = 'job-exec.kvs-namespaces'

/** Options of {@link namespaceRoots} and {@link usedRoots}. */
export interface NamespaceRootsOptions {
  /** Called with each value that cannot be read, or is damaged. */
  onFault?: ((fault: FluxError) => void) | undefined
  signal?: AbortSignal | undefined
}

/** The root of a running job's namespace. */
export interface JobNamespaceRoot {
  readonly rootref: string
  readonly jobid: bigint
}

/**
 * The roots of running jobs' namespaces that a root of the primary namespace names.
 *
 * The value stays when the jobs have ended, so the store may not have these roots any more.
 *
 * @returns empty when the instance did not keep any
 * @throws {FluxError} the value cannot be read, or is damaged, and there is no `onFault`
 */
export async function namespaceRoots(
  snapshot: SnapshotRoot,
  { onFault, signal }: NamespaceRootsOptions = {},
): Promise<JobNamespaceRoot[]> {
  try {
    const chunks: Uint8Array[] = []
    const reader = new SnapshotReader(snapshot, { signal })
    for await (const pieces of reader.read(JOB_NAMESPACES_KEY))
      for (const piece of pieces) chunks.push(new Uint8Array(piece))
    return parse(Buffer.concat(chunks).toString())
  } catch (error) {
    throwIfAborted(signal)
    if (!isNoSuchKey(error)) {
      if (onFault === undefined || !(error instanceof FluxError)) throw error
      onFault(error)
    }
    return []
  }
}

/**
 * All roots of a store that are in use: those of its checkpoints, and those of running jobs' namespaces that these name.
 *
 * @param rootrefs - the roots of the checkpoints
 * @param options - `onFault` is called with each value that names such roots and cannot be read (default: it is ignored)
 * @returns `rootrefs` without repetition, then the others, as far as the store has them
 * @throws {FluxError} when the store as a whole fails
 */
export async function usedRoots(
  store: ContentStore,
  rootrefs: readonly string[],
  { onFault = () => {}, signal }: NamespaceRootsOptions = {},
): Promise<string[]> {
  const used = new Set(rootrefs)
  const extra = new Set<string>()
  for (const rootref of used) {
    for (const found of await namespaceRoots({ store, rootref }, { onFault, signal })) {
      if (!used.has(found.rootref)) extra.add(found.rootref)
    }
  }
  const named = [...extra]
  const errors = await store.checkBatch(named)
  return [...used, ...named.filter((_, i) => errors[i]?.code !== 'ENOENT')]
}

function parse(text: string): JobNamespaceRoot[] {
  let list: unknown
  try {
    list = parseJson(text)
  } catch (cause) {
    throw damaged((cause as Error).message, cause)
  }
  if (!Array.isArray(list)) throw damaged('not a list')
  return list.map((entry: unknown) => {
    const { id, kvsroot } = (entry ?? {}) as Record<string, unknown>
    const isId = typeof id === 'bigint' || Number.isSafeInteger(id)
    if (!isId || !isBlobref(kvsroot)) throw damaged('an entry without a job id and a blobref')
    return { rootref: kvsroot, jobid: BigInt(id as bigint | number) }
  })
}

function damaged(why: string, cause?: unknown): FluxError {
  return new FluxError('EPROTO', `${JOB_NAMESPACES_KEY}: does not name namespaces of jobs: ${why}`, { cause })
}
