/**
 * Reads the facts about a job from its jobspec (RFC 14, RFC 25), as the job-list module of Flux does.
 *
 * @see flux-core `src/modules/job-list/job_data.c`, `src/common/libjob/jj.c`
 */
import { isRecord, type JsonRecord, memberAt, numberAt, stringAt } from '../json.ts'

/**
 * What a job asks for. A member is undefined when the jobspec does not say it, or when only the allocation tells it.
 */
export interface JobspecFacts {
  name?: string | undefined
  cwd?: string | undefined
  queue?: string | undefined
  project?: string | undefined
  bank?: string | undefined
  /** Seconds; 0 is no limit. */
  duration?: number | undefined
  nnodes?: number | undefined
  ntasks?: number | undefined
  ncores?: number | undefined
  /** Tasks for each node, or for each core, of the allocation. */
  ntasksPerNode?: number | undefined
  ntasksPerCore?: number | undefined
}

interface Counts {
  nnodes: number
  nslots: number
  slotSize: number
  exclusive: boolean
}

/** @returns the facts; without counts of resources and tasks when the resources are not understood */
export function jobspecFacts(jobspec: JsonRecord): JobspecFacts {
  const system = memberAt(jobspec, 'attributes', 'system')
  const facts: JobspecFacts = {
    name: stringAt(system, 'job', 'name') ?? commandName(jobspec),
    cwd: stringAt(system, 'cwd'),
    queue: stringAt(system, 'queue'),
    project: stringAt(system, 'project'),
    bank: stringAt(system, 'bank'),
    duration: numberAt(system, 'duration'),
  }
  const counts = countsOf(memberAt(jobspec, 'resources'))
  if (counts === undefined) return facts
  const { nnodes, nslots, slotSize, exclusive } = counts
  if (nnodes > 0) facts.nnodes = nnodes
  // The number of cores of whole nodes is known only from the allocation.
  if (nnodes === 0 || !exclusive) facts.ncores = nslots * slotSize
  const perResource = memberAt(system, 'shell', 'options', 'per-resource')
  const per = numberAt(perResource, 'count') ?? 1
  const type = stringAt(perResource, 'type')
  if (type === 'node') {
    if (nnodes > 0) facts.ntasks = nnodes * per
    else facts.ntasksPerNode = per
  } else if (type === 'core') {
    if (nnodes === 0) facts.ntasks = nslots * slotSize * per
    else facts.ntasksPerCore = per
  } else {
    facts.ntasks = numberAt(firstTask(jobspec), 'count', 'total') ?? nslots
  }
  return facts
}

function firstTask(jobspec: JsonRecord): unknown {
  const tasks = memberAt(jobspec, 'tasks')
  return Array.isArray(tasks) ? tasks[0] : undefined
}

/** The last part of the path of the command. */
function commandName(jobspec: JsonRecord): string | undefined {
  const command = memberAt(firstTask(jobspec), 'command')
  const path: unknown = Array.isArray(command) ? command[0] : undefined
  if (typeof path !== 'string') return undefined
  return path.slice(path.lastIndexOf('/') + 1) || path
}

function countsOf(resources: unknown): Counts | undefined {
  const counts: Counts = { nnodes: 0, nslots: 0, slotSize: 0, exclusive: false }
  // Go through the nested vertices level by level. Of several vertices of one type, the last one counts.
  const open: { vertices: unknown; factor: number }[] = [{ vertices: resources, factor: 1 }]
  for (let level = open.pop(); level !== undefined; level = open.pop()) {
    if (!Array.isArray(level.vertices)) return undefined
    for (const vertex of level.vertices) {
      const type = stringAt(vertex, 'type')
      const count = numberAt(vertex, 'count')
      if (!isRecord(vertex) || type === undefined || count === undefined || count <= 0) return undefined
      const factor = level.factor * count
      if (type === 'node') {
        counts.nnodes = factor
        counts.exclusive ||= vertex.exclusive === true
      } else if (type === 'slot') {
        counts.nslots = count
      } else if (type === 'core') {
        counts.slotSize = count
      }
      if (vertex.with !== undefined) open.push({ vertices: vertex.with, factor })
    }
  }
  if (counts.nslots === 0 || counts.slotSize === 0) return undefined
  if (counts.nnodes > 0) counts.nslots *= counts.nnodes
  return counts
}
