/** The nodes of a job's allocation, one by one. */
import { Hostlist, Idset } from '../../resource/index.ts'
import type { Job } from './job.ts'
import type { NodeShare } from './resource-set.ts'

/** A node, and what a job holds of it. */
export interface AllocatedNode {
  /** Broker rank of the node. */
  readonly rank: number
  /** Undefined when R names no host for each rank. */
  readonly host: string | undefined
  readonly ncores: number
  readonly ngpus: number
}

/**
 * The nodes that were allocated to a job, by ascending rank; none for a job without R. R names the hosts in the order
 * of the ranks.
 *
 * @see RFC 20; flux-core `src/common/librlist/rlist.c`, `rlist_assign_hostlist`
 */
export function allocatedNodes({ allocation = [], nodelist }: Job): AllocatedNode[] {
  const shares = allocation.length === 1 ? allocation : sharesByRank(allocation)
  const hosts = nodelist === undefined ? undefined : Hostlist.parse(nodelist)
  const size = shares.reduce((sum, { ranks }) => sum + ranks.size, 0)
  const names = hosts?.size === size ? hosts[Symbol.iterator]() : undefined
  const nodes: AllocatedNode[] = []
  for (const { ranks, ncores, ngpus } of shares)
    for (const rank of ranks) nodes.push({ rank, host: names?.next().value ?? undefined, ncores, ngpus })
  return nodes
}

/** A share for each rank, by ascending rank. RFC 20 does not forbid a rank in two entries. */
function sharesByRank(allocation: readonly NodeShare[]): NodeShare[] {
  const shares = new Map<number, NodeShare>()
  for (const { ranks, ncores, ngpus } of allocation) {
    for (const rank of ranks) {
      const before = shares.get(rank) ?? { ranks: Idset.of([rank]), ncores: 0, ngpus: 0 }
      shares.set(rank, { ...before, ncores: before.ncores + ncores, ngpus: before.ngpus + ngpus })
    }
  }
  return [...shares].sort(([a], [b]) => a - b).map(([, share]) => share)
}
