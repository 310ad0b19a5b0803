/** By what jobs can be grouped. */
import { allocatedNodes } from '../allocated-nodes.ts'
import { type Job, type JobRecords, jobStatus } from '../job.ts'
import { PERIOD_UNITS, type PeriodUnit } from './calendar.ts'
import type { HeldResources } from './figures.ts'

/** What a job has one of. */
const ATTRIBUTES = ['user', 'queue', 'bank', 'project', 'result', 'status', 'size', 'name'] as const
type Attribute = (typeof ATTRIBUTES)[number]

/** By what jobs can be grouped: a period of time, the nodes that they held, or what each has one of. */
export const JOB_GROUPS = [...PERIOD_UNITS, 'node', ...ATTRIBUTES] as const
/** One of {@link JOB_GROUPS}. */
export type JobGroup = (typeof JOB_GROUPS)[number]

/** The groups that the jobspec tells. A job without an allocation has its number of nodes there. */
const OF_JOBSPEC: readonly JobGroup[] = ['queue', 'bank', 'project', 'size', 'name']

/** The records of a job that tell the figures and these groups. */
export function usageRecords(by: readonly JobGroup[]): (keyof JobRecords)[] {
  return by.some((group) => OF_JOBSPEC.includes(group)) ? ['eventlog', 'R', 'jobspec'] : ['eventlog', 'R']
}

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
export interface Share extends HeldResources {
  /** Name of the node; null for all of them together, and for a job without an allocation. */
  readonly node: string | null
}

/** What a job holds of all its nodes together. */
export function wholeShare({ allocation, nnodes = 0, ncores = 0, ngpus = 0 }: Job): Share {
  return allocation ? { node: null, nnodes, ncores, ngpus } : { node: null, nnodes: 0, ncores: 0, ngpus: 0 }
}

/** What a job holds of each of its hosts; of a broker rank without a host, the name is `rank` and its number. */
export function nodeShares(job: Job): Share[] {
  const nodes = allocatedNodes(job)
  if (nodes.length === 0) return [wholeShare(job)]
  const shares = nodes.map(({ host, rank, ncores, ngpus }) => ({
    node: host ?? `rank${rank}`,
    nnodes: 1,
    ncores,
    ngpus,
  }))
  const names = new Set(shares.map(({ node }) => node))
  return names.size === shares.length ? shares : joined(shares)
}

/** Several brokers can run on one host: add up what they have. */
function joined(shares: readonly Share[]): Share[] {
  const byNode = new Map<string | null, Share>()
  for (const { node, nnodes, ncores, ngpus } of shares) {
    const before = byNode.get(node) ?? { nnodes: 0, ncores: 0, ngpus: 0 }
    byNode.set(node, {
      node,
      nnodes: before.nnodes + nnodes,
      ncores: before.ncores + ncores,
      ngpus: before.ngpus + ngpus,
    })
  }
  return [...byNode.values()]
}
