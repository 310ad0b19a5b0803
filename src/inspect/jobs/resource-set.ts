/** Reads the allocation of a job from its record `R` (RFC 20, "Resource Set Specification Version 1"). */
import { Idset } from '../../resource/index.ts'
import { memberAt, numberAt, stringAt } from '../json.ts'

/** What an allocation holds on each of some nodes that have equal counts. */
export interface NodeShare {
  readonly ranks: Idset
  /** Cores on each of the nodes. */
  readonly ncores: number
  /** GPUs on each of the nodes. */
  readonly ngpus: number
}

export interface ResourceSetFacts {
  nnodes: number
  ncores: number
  ngpus: number
  allocation: readonly NodeShare[]
  /** As an idset (RFC 22): `3`, or `[0-3,7]`. */
  ranks: string
  /** As a hostlist (RFC 29). */
  nodelist: string | undefined
  /** Seconds since 1970; 0 is no expiration. */
  expiration: number | undefined
}

/** @returns undefined when `R` is not a resource set of version 1 */
export function resourceSetFacts(R: unknown): ResourceSetFacts | undefined {
  const lite = memberAt(R, 'execution', 'R_lite')
  if (!Array.isArray(lite)) return undefined
  const allocation: NodeShare[] = []
  let ncores = 0
  let ngpus = 0
  for (const entry of lite) {
    const ranks = idsetAt(entry, 'rank')
    const cores = childrenAt(entry, 'core')
    const gpus = childrenAt(entry, 'gpu')
    if (ranks === undefined || cores === undefined || gpus === undefined) return undefined
    ncores += ranks.size * cores
    ngpus += ranks.size * gpus
    allocation.push({ ranks, ncores: cores, ngpus: gpus })
  }
  const ranks = Idset.union(allocation.map((share) => share.ranks))
  const nodes = memberAt(R, 'execution', 'nodelist')
  const nodelist = Array.isArray(nodes) && nodes.every((host) => typeof host === 'string') ? nodes.join(',') : undefined
  const expiration = numberAt(R, 'execution', 'expiration')
  return { nnodes: ranks.size, ncores, ngpus, ranks: ranks.toBracketed(), nodelist, expiration, allocation }
}

/** How many children of a type there are on each node; undefined when they are not an idset. */
function childrenAt(entry: unknown, type: string): number | undefined {
  return memberAt(entry, 'children', type) === undefined ? 0 : idsetAt(entry, 'children', type)?.size
}

function idsetAt(value: unknown, ...path: string[]): Idset | undefined {
  const text = stringAt(value, ...path)
  return text === undefined ? undefined : Idset.parse(text)
}
