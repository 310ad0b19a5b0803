/** By what jobs can be grouped. */
import { type AllocatedNode, allocatedNodes } from '../allocated-nodes.ts'
import { type Job, jobStatus } from '../job.ts'
import { PERIOD_UNITS, type PeriodUnit } from './calendar.ts'
import type { HeldTime } from './figures.ts'

/** What a job has one of. */
const ATTRIBUTES = ['user', 'queue', 'bank', 'project', 'result', 'status', 'size', 'name'] as const
type Attribute = (typeof ATTRIBUTES)[number]

/** By what jobs can be grouped: a period of time, the nodes that they held, or what each has one of. */
export const JOB_GROUPS = [...PERIOD_UNITS, 'node', ...ATTRIBUTES] as const
/** One of {@link JOB_GROUPS}. */
export type JobGroup = (typeof JOB_GROUPS)[number]

/** The period among some groups. */
export function periodOf(by: readonly JobGroup[]): PeriodUnit | undefined {
  return PERIOD_UNITS.find((unit) => by.includes(unit))
}

/** Finds the group of a job; null for a job that has none. */
export type GroupOf = (job: Job) => string | null

/** @param userName - the name of a user id, or the id as text */
export function groupOf(attribute: Attribute, userName: (userid: number) => string): GroupOf {
  switch (attribute) {
    case 'user':
      return ({ userid }) => (userid === undefined ? null : userName(userid))
    case 'result':
      return ({ result }) => result ?? null
    case 'status':
      return jobStatus
    case 'size':
      return ({ nnodes }) => (nnodes === undefined ? null : sizeClass(nnodes))
    default:
      return ({ [attribute]: text }) => text || null
  }
}

/** True for a group that a job has one of. */
export function isAttribute(group: JobGroup): group is Attribute {
  return (ATTRIBUTES as readonly string[]).includes(group)
}

/** Numbers of nodes by powers of two: `1`, `2`, `3-4`, `5-8`. */
export function sizeClass(nnodes: number): string {
  if (nnodes <= 2) return String(nnodes)
  const last = 2 ** Math.ceil(Math.log2(nnodes))
  return `${last / 2 + 1}-${last}`
}

/** What a job holds of one node, or of all. */
export interface Share extends Held {
  /** Name of the node; null for a job without an allocation. */
  node: string | null
}

/** Numbers of what is held. */
interface Held {
  nnodes: number
  ncores: number
  ngpus: number
}

/** What is held for some seconds. */
export function heldFor({ nnodes, ncores, ngpus }: Held, seconds: number): HeldTime {
  return { nodeSeconds: nnodes * seconds, coreSeconds: ncores * seconds, gpuSeconds: ngpus * seconds }
}

/** What a job holds of all its nodes together. */
export function wholeShare({ allocation, nnodes = 0, ncores = 0, ngpus = 0 }: Job): Share {
  return allocation ? { node: null, nnodes, ncores, ngpus } : { node: null, nnodes: 0, ncores: 0, ngpus: 0 }
}

/** What a job holds of each of its hosts; of a broker rank without a host, the name is `rank` and its number. */
export function nodeShares(job: Job): Share[] {
  const shares = new Map<string, Share>()
  for (const node of allocatedNodes(job)) {
    const name = nameOf(node)
    const share = shares.get(name)
    // Several brokers can run on one host.
    if (share === undefined) shares.set(name, { node: name, nnodes: 1, ncores: node.ncores, ngpus: node.ngpus })
    else {
      share.nnodes++
      share.ncores += node.ncores
      share.ngpus += node.ngpus
    }
  }
  return shares.size > 0 ? [...shares.values()] : [wholeShare(job)]
}

function nameOf({ host, rank }: AllocatedNode): string {
  return host ?? `rank${rank}`
}
