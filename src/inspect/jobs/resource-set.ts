/** Reads the allocation of a job from its record `R` (RFC 20, "Resource Set Specification Version 1"). */
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

/** A range of ids, including the first and the last. */
type Range = readonly [first: number, last: number]

/** @returns undefined when `R` is not a resource set of version 1 */
export function resourceSetFacts(R: unknown): ResourceSetFacts | undefined {
  const lite = memberAt(R, 'execution', 'R_lite')
  if (!Array.isArray(lite)) return undefined
  const all: Range[] = []
  let ncores = 0
  for (const entry of lite) {
    const ranks = parseIdset(stringAt(entry, 'rank'))
    const cores = memberAt(entry, 'children', 'core')
    const perRank = cores === undefined ? [] : parseIdset(typeof cores === 'string' ? cores : undefined)
    if (ranks === undefined || perRank === undefined) return undefined
    ncores += count(ranks) * count(perRank)
    all.push(...ranks)
  }
  const ranks = union(all)
  const nodes = memberAt(R, 'execution', 'nodelist')
  const nodelist = Array.isArray(nodes) && nodes.every((host) => typeof host === 'string') ? nodes.join(',') : undefined
  const expiration = numberAt(R, 'execution', 'expiration')
  return { nnodes: count(ranks), ncores, ranks: idsetText(ranks), nodelist, expiration }
}

/** @returns the ranges, sorted; undefined when the text is not an idset */
function parseIdset(text: string | undefined): Range[] | undefined {
  if (text === undefined) return undefined
  const ranges: Range[] = []
  for (const part of text.replace(/^\[(.*)\]$/, '$1').split(',')) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? []
    if (first === undefined) return text === '' ? [] : undefined
    ranges.push([Number(first), Number(last)])
  }
  return union(ranges)
}

function union(ranges: readonly Range[]): Range[] {
  const joined: [first: number, last: number][] = []
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const before = joined.at(-1)
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else joined.push([first, last])
  }
  return joined
}

function count(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0)
}

function idsetText(ranges: readonly Range[]): string {
  const text = ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
  return count(ranges) > 1 ? `[${text}]` : text
}
