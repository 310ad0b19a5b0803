/**
 * Gathers the figures of a report. The records of the instance are read first, then all jobs, then the tree: a part that
 * cannot be read leaves the others as they are.
 */
import type { Checkpoint } from '../content/index.ts'
import { FluxError } from '../errors/index.ts'
import { commandsFor } from './commands.ts'
import { compared, type Sections, type Tallies } from './comparison.ts'
import { gatherEvents } from './events.ts'
import { Faults } from './faults.ts'
import { contentOf, gatherHealth, noHealth } from './health.ts'
import { beginOf, instanceRecords } from './instance.ts'
import { Names } from './names.ts'
import { gatherNodes } from './nodes.ts'
import type { ReportOptions, ReportSource } from './options.ts'
import type { ReportData } from './report-data.ts'
import { gatherRoom, noRoom } from './room.ts'
import { snapshotFacts } from './snapshot-facts.ts'
import { gatherWork, noWork } from './work.ts'

/**
 * Gather all that a report shows of a snapshot.
 *
 * The figures are those of `jobsStats`, `du`, `fsck` and `contentStats`: they come from the same functions.
 *
 * @throws {FluxError} `EBUSY` the store was changed while it was read; the signal was aborted
 */
export async function gatherReport(source: ReportSource, options: ReportOptions): Promise<ReportData> {
  const { tool, created = Date.now() / 1000, redact = false, redactKey, compare, onWarning, signal } = options
  const names = !redact ? new Names() : redactKey ? new Names(redactKey) : Names.withAnyKey()
  const faults = new Faults(names, onWarning)
  const context = { ...options, created, names, faults }
  const now = await gatherSections(source, context)
  const before = compare && (await gatherSections(compare, context))
  const comparison =
    compare && before
      ? await compared(
          { ...before, snapshot: compare.snapshot },
          { ...now, snapshot: source.snapshot },
          { faults, signal },
        )
      : null
  return {
    version: 1,
    tool,
    created,
    redacted: redact,
    ...now.sections,
    warnings: faults.warnings,
    warningCount: faults.count,
    comparison,
  }
}

interface Context extends ReportOptions {
  readonly created: number
  readonly names: Names
  readonly faults: Faults
}

async function gatherSections(
  source: ReportSource,
  context: Context,
): Promise<{ sections: Sections; tallies: Tallies }> {
  const { created, users, names, faults, signal } = context
  const { snapshot, kind } = source
  const { store } = snapshot
  const how = { names, faults, signal }
  const records = await instanceRecords(snapshot, how)
  const facts = await snapshotFacts(source, records, how)
  const checkpoints = await faults.attempt('checkpoints', () => checkpointsOf(source), [])
  const isLive = store.instance !== undefined && snapshot.timestamp === undefined
  const now = isLive ? created : snapshot.timestamp
  const since = beginOf(records)
  const work = { ...how, now, nodeCount: facts.nodeCount, since, users }
  const { work: figures, heldByRank } = await faults.attempt('jobs', () => gatherWork(snapshot, work), noWork())
  // From a live instance, each blob of an older checkpoint would have to be loaded.
  const rootrefs = store.onDisk ? checkpoints.map(({ rootref }) => rootref) : []
  // The check marks what it reads. If that is no checkpoint, what is garbage must be counted before.
  const isCheckpoint = rootrefs.includes(snapshot.rootref)
  const content = isCheckpoint
    ? undefined
    : await faults.attempt('content', () => contentOf(snapshot, kind, false, signal), null)
  const gathered = await faults.attempt('room', () => gatherRoom(snapshot, { ...how, rootrefs }), noRoom())
  const { room, oversized } = gathered
  const nodes = gatherNodes(records, heldByRank, now, names)
  const { events, counts } = gatherEvents(records, checkpoints, names)
  const openCount = (of: 'drained' | 'down') =>
    records.history.spans.filter(({ state, to }) => state === of && to === undefined).length
  const tallies = { events: counts, drained: openCount('drained'), down: openCount('down') }
  const health = await faults.attempt(
    'health',
    () =>
      gatherHealth(snapshot, {
        ...how,
        kind,
        checkpoints,
        checked: gathered.checked,
        content,
        oversized,
        facts: {
          crashes: counts.get('crash') ?? 0,
          drained: tallies.drained,
          created,
          command: commandsFor(facts),
        },
      }),
    noHealth(oversized),
  )
  return { sections: { snapshot: facts, health, room, work: figures, nodes, events }, tallies }
}

async function checkpointsOf({ snapshot }: ReportSource): Promise<Checkpoint[]> {
  try {
    return await snapshot.store.checkpoints()
  } catch (error) {
    // A store need not have one.
    if (error instanceof FluxError && error.code === 'ENOENT') return []
    throw error
  }
}
