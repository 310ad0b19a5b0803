/** Reads the allocation of a job from its record `R` (RFC 20, "Resource Set Specification Version 1"). */
import { Idset } from '../../resource/index.ts'
import { memberAt, numberAt, stringAt } from '../json.ts'

export interface ResourceSetFacts {
  nnodes: number
  ncores: number
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
  const all: Idset[] = []
  let ncores = 0
  for (const entry of lite) {
    const ranks = idsetAt(entry, 'rank')
    const cores = memberAt(entry, 'children', 'core') === undefined ? Idset.of([]) : idsetAt(entry, 'children', 'core')
    if (ranks === undefined || cores === undefined) return undefined
    ncores += ranks.size * cores.size
    all.push(ranks)
  }
  const ranks = Idset.union(all)
  const nodes = memberAt(R, 'execution', 'nodelist')
  const nodelist = Array.isArray(nodes) && nodes.every((host) => typeof host === 'string') ? nodes.join(',') : undefined
  const expiration = numberAt(R, 'execution', 'expiration')
  return { nnodes: ranks.size, ncores, ranks: ranks.toBracketed(), nodelist, expiration }
}

function idsetAt(value: unknown, ...path: string[]): Idset | undefined {
  const text = stringAt(value, ...path)
  return text === undefined ? undefined : Idset.parse(text)
}
