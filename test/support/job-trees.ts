/** Trees with jobs in them, and the stores that hold them. */
import { writeFileSync } from 'node:fs'
import { jobKey } from '../../src/kvs/index.ts'
import { Blobs, dir, MemoryStore, type Tree, valref, writeSqlite } from './trees.ts'

/** A job as a test wants it. Times are seconds since 1970. */
export interface JobMade {
  id: bigint
  submit?: number
  userid?: number
  name?: string
  /** How far it has come (default: to its end). */
  until?: 'submit' | 'run' | 'end'
  /** Wait status (default: 0). */
  status?: number
  nodelist?: string
  ranks?: string
  environment?: Record<string, string>
  /** Members of `attributes.system`. */
  system?: Record<string, unknown>
  /** More lines of the eventlog, before its end. */
  events?: readonly { name: string; context?: object }[]
  /** Records that are lost. */
  lost?: readonly ('eventlog' | 'jobspec' | 'R')[]
}

/** 2026-11-20 00:00 UTC. */
export const MIDNIGHT = Date.UTC(2026, 10, 20) / 1000

/** The directory `job` of these jobs. */
export function jobsTree(jobs: readonly JobMade[]): Record<string, Tree> {
  const tree: Record<string, Tree> = {}
  for (const job of jobs) {
    let at = tree
    const components = jobKey(job.id).split('.')
    const last = components.pop() as string
    for (const component of components) {
      at[component] ??= dir({})
      at = (at[component] as { entries: Record<string, Tree> }).entries
    }
    at[last] = dir(recordsOf(job))
  }
  return tree
}

function recordsOf(job: JobMade): Record<string, Tree> {
  const { submit = MIDNIGHT, userid = 5000, name = 'app', until = 'end', status = 0, lost = [] } = job
  const { nodelist = 'node[1-2]', ranks = '0-1', environment = {}, system = {}, events = [] } = job
  const lines: object[] = [
    { timestamp: submit, name: 'submit', context: { userid, urgency: 16, flags: 0, version: 1 } },
    { timestamp: submit + 0.25, name: 'validate' },
    { timestamp: submit + 0.5, name: 'depend' },
    { timestamp: submit + 0.75, name: 'priority', context: { priority: 16 } },
  ]
  if (until !== 'submit')
    lines.push({ timestamp: submit + 10, name: 'alloc' }, { timestamp: submit + 11, name: 'start' })
  for (const event of events) lines.push({ timestamp: submit + 12, ...event })
  if (until === 'end') {
    lines.push(
      { timestamp: submit + 3610, name: 'finish', context: { status } },
      { timestamp: submit + 3611, name: 'free' },
      { timestamp: submit + 3612, name: 'clean' },
    )
  }
  const jobspec = {
    version: 1,
    resources: [{ type: 'slot', count: 2, label: 'task', with: [{ type: 'core', count: 4 }] }],
    tasks: [{ command: [name], slot: 'task', count: { per_slot: 1 } }],
    attributes: { system: { duration: 7200, cwd: '/home/a', environment, job: { name }, ...system } },
  }
  const R = {
    version: 1,
    execution: {
      R_lite: [{ rank: ranks, children: { core: '0-3' } }],
      starttime: submit + 10,
      expiration: submit + 7210,
      nodelist: [nodelist],
    },
  }
  const texts = {
    eventlog: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
    jobspec: JSON.stringify(jobspec),
    ...(until === 'submit' ? {} : { R: JSON.stringify(R) }),
  }
  const kept = Object.entries(texts).filter(([record]) => !lost.includes(record as 'R'))
  return Object.fromEntries(kept.map(([record, text]) => [record, valref(text)]))
}

/** A snapshot in memory of an instance with these jobs. */
export function jobsSnapshot(jobs: readonly JobMade[]) {
  const blobs = new Blobs()
  const rootref = blobs.tree(jobsTree(jobs))
  return { store: new MemoryStore(blobs), rootref, namespace: undefined }
}

/** A `content.sqlite` of an instance with these jobs. */
export function writeJobsStore(path: string, jobs: readonly JobMade[]): void {
  const blobs = new Blobs()
  const rootref = blobs.tree(jobsTree(jobs))
  writeFileSync(path, '')
  writeSqlite(path, blobs, [rootref])
}
