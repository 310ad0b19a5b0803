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
 * the nearest cache is asked, which asks the next one towards rank 0.
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
  return (await flux.rank({ signal })) === 0 ? [backing, cache] : [cache]
}

/** What a service says when it is not there, or not for this user: nothing else that it is asked will do any better. */
export function isServiceRefusal({ code }: RpcFailure): boolean {
  return code === 'ENOSYS' || code === 'EPERM'
}
