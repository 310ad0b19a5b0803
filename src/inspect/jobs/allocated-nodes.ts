/** The nodes of a job's allocation, one by one. */
import { Hostlist, Idset } from '../../resource/index.ts'
import type { Job } from './job.ts'

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
  const nodes = new Map<number, { ncores: number; ngpus: number }>()
  for (const { ranks, ncores, ngpus } of allocation) {
    for (const rank of ranks) {
      const node = nodes.get(rank)
      // RFC 20 does not forbid a rank in two entries.
      if (node === undefined) nodes.set(rank, { ncores, ngpus })
      else {
        node.ncores += ncores
        node.ngpus += ngpus
      }
    }
  }
  const list = nodelist === undefined ? undefined : Hostlist.parse(nodelist)
  const hosts = list?.size === nodes.size ? [...list] : []
  const ranks = [...Idset.of(nodes.keys())]
  return ranks.map((rank, i) => ({ rank, host: hosts[i], ...(nodes.get(rank) as { ncores: number; ngpus: number }) }))
}
