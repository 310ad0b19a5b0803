/** Reports of trees from literals. */
import { jobKey, type Snapshot } from '../../src/kvs/index.ts'
import { gatherReport, type ReportData, type ReportOptions } from '../../src/report/index.ts'
import { type Blobs, dir, MemoryStore, type Tree, valref } from './trees.ts'

/** What is made up of a job; it ran for an hour, and failed. */
export interface MadeJob {
  name: string
  user: number
  bank?: string
  queue?: string
  alloc?: number
  free?: number
  ranks?: string
  nodelist?: string
}

const BEGIN = 1_700_000_000

/** The entries of `job` that lead to one job. Ids differ in their first component, so that entries can be joined. */
export function jobEntries(n: number, job: MadeJob): Record<string, Tree> {
  const { name, user: userid, bank, queue, ranks = '0', nodelist = 'n0' } = job
  const { alloc = BEGIN + n, free = alloc + 3600 } = job
  const [, first = '', ...rest] = jobKey(BigInt(n + 1) << 48n).split('.')
  const events = [
    [alloc - 10, 'submit', { userid, urgency: 16, flags: 0, version: 1 }],
    [alloc - 10, 'validate'],
    [alloc - 10, 'depend'],
    [alloc - 10, 'priority', { priority: 16 }],
    [alloc, 'alloc'],
    [alloc, 'start'],
    [free, 'finish', { status: 256 }],
    [free, 'release', { ranks: 'all', final: true }],
    [free, 'free'],
    [free, 'clean'],
  ] as const
  const log = events.map(([timestamp, name, context]) => `${JSON.stringify({ timestamp, name, context })}\n`)
  const system = { job: { name }, bank, queue, duration: 0 }
  const resources = [{ type: 'slot', count: 1, label: 'task', with: [{ type: 'core', count: 1 }] }]
  const tasks = [{ command: ['a'], slot: 'task', count: { per_slot: 1 } }]
  const jobspec = { version: 1, resources, tasks, attributes: { system } }
  const R_lite = [{ rank: ranks, children: { core: '0-3' } }]
  const R = { version: 1, execution: { R_lite, starttime: 0, expiration: 0, nodelist: [nodelist] } }
  let tree: Tree = dir({
    eventlog: valref(...log),
    jobspec: valref(JSON.stringify(jobspec)),
    R: valref(JSON.stringify(R)),
  })
  for (const component of rest.reverse()) tree = dir({ [component]: tree })
  return { [first]: tree }
}

/**
 * The report of a tree.
 *
 * @param root - its entries, or the object of a root that is not there
 * @param timestamp - when the snapshot was taken
 */
export async function reportOf(
  blobs: Blobs,
  root: Record<string, Tree> | Tree,
  timestamp = BEGIN + 1e6,
  options: Partial<ReportOptions> = {},
): Promise<ReportData> {
  const rootref = isLost(root) ? (root.data as string[])[0] : blobs.tree(root as Record<string, Tree>)
  const store = new MemoryStore(blobs)
  const snapshot: Snapshot = {
    store,
    rootref: rootref as string,
    hash: store.hash,
    sequence: 1,
    timestamp,
    checkpointIndex: 0,
    namespace: undefined,
  }
  const source = { snapshot, name: '/secret/path', kind: 'sqlite', flags: '--store /secret/path' }
  return gatherReport(source, { tool: 'test', ...options })
}

function isLost(root: Record<string, Tree> | Tree): root is { data: unknown; type: string; ver: number } {
  return 'type' in root && root.type === 'dirref'
}
