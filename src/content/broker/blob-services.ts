import { FluxError } from '../../errors/index.ts'
import type { Flux, RpcFailure } from '../../flux/index.ts'

/** A service that loads or stores blobs. */
export interface BlobService {
  readonly topic: string
  /** The rank to ask. When undefined, the nearest cache answers. */
  readonly nodeid: number | undefined
}

/**
 * The services to try, in order: the second one only for blobs that the first one cannot load or store.
 *
 * The broker of rank 0 runs the backing store. There we skip the cache: one module instead of two handles a request,
 * which halves the broker's work, and a dump does not push the instance's own blobs out of the cache. A blob that the
 * backing store lacks may still be in the cache only: one that was stored just now, or one of a mapped file.
 *
 * On other ranks we ask the nearest cache, which asks the next one towards rank 0. If that lacks a blob, we ask the
 * backing store. Only its answer is sure: a cache reports a blob as missing also when the backing store is gone.
 *
 * @param noCache - use only the backing store (`--no-cache`)
 */
export async function blobServices(
  flux: Flux,
  method: 'load' | 'store',
  { noCache, signal }: { noCache: boolean; signal?: AbortSignal | undefined },
): Promise<readonly [BlobService, BlobService?]> {
  const backing = { topic: `content-backing.${method}`, nodeid: 0 }
  if (noCache) return [backing]
  const cache = { topic: `content.${method}`, nodeid: undefined }
  if ((await flux.rank({ signal })) === 0) return [backing, cache]
  return method === 'load' ? [cache, backing] : [cache]
}

export function isBacking({ topic }: BlobService): boolean {
  return topic.startsWith('content-backing.')
}

/**
 * The error for an instance whose backing store was unloaded; undefined for an instance that never had one, whose cache
 * has all blobs.
 *
 * @param isKnown - true when the backing store has answered before
 * @throws {FluxError} rank 0 cannot be asked
 */
export async function backingGone(flux: Flux, isKnown: boolean): Promise<FluxError | undefined> {
  // Rank 0 sets the attribute when a backing store is loaded, and keeps it when that is unloaded.
  const module = await flux.attrGet('content.backing-module', { nodeid: 0 }).catch((error) => {
    if (error instanceof FluxError && error.code === 'ENOENT') return undefined
    throw error
  })
  if (!isKnown && module === undefined) return undefined
  return new FluxError(
    'ENOSYS',
    `${flux.uri}: the backing store is gone, and the content cache does not have all blobs`,
    {
      hint: `flux module load ${module ?? 'content-sqlite'} brings it back`,
    },
  )
}

/** True when the service is not there, or not for this user, so that every further request would fail too. */
export function isServiceRefusal({ code }: RpcFailure): boolean {
  return code === 'ENOSYS' || code === 'EPERM'
}
