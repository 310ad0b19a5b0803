import { FluxError } from '../../errors/index.ts'
import type { Flux, RpcFailure } from '../../flux/index.ts'

/** A service that loads or stores blobs. */
export interface BlobService {
  readonly topic: string
  /** The rank to ask; any when undefined, which is the nearest cache. */
  readonly nodeid: number | undefined
}

/**
 * Who is asked for a blob, or given one: the first, and if that cannot, the second.
 *
 * A broker of rank 0 has the backing store beside it. Past the cache there is one module on the way instead of two, which
 * halves the broker's work, and a dump does not push out of the cache what the instance's own work has put there. What the
 * backing store lacks may still be in the cache alone: a blob that was stored just now, or one of a mapped file. Elsewhere
 * the nearest cache is asked, which asks the next one towards rank 0. What that lacks is asked of the backing store: only
 * then it is sure to be missing, since the cache says so too when there is no backing store any more.
 *
 * @param noCache - the backing store and nothing else (`--no-cache`)
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
 * The error for an instance whose backing store has been unloaded; undefined for one that never had any, whose cache has all
 * there is.
 *
 * @param isKnown - true when it has answered
 * @throws {FluxError} rank 0 cannot be asked
 */
export async function backingGone(flux: Flux, isKnown: boolean): Promise<FluxError | undefined> {
  // Rank 0 has the attribute once a backing store has been loaded, and keeps it.
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

/** What a service says when it is not there, or not for this user: nothing else that it is asked will do any better. */
export function isServiceRefusal({ code }: RpcFailure): boolean {
  return code === 'ENOSYS' || code === 'EPERM'
}
