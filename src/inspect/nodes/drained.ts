/**
 * Which nodes were drained, when a snapshot was taken: the state that the resource module keeps in `checkpoint.resource`,
 * and the events in `resource.eventlog` since then.
 *
 * @see flux-core `src/modules/resource/drain.c`, `upgrade.c`; flux-resource(1), "drain"
 */
import { FluxError } from '../../errors/index.ts'
import { type KvsReader, parseEventlog } from '../../kvs/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { isRecord, type JsonRecord, memberAt, numberAt, stringAt } from '../json.ts'
import { nodesNamed, parsedRecord, RESOURCE_CHECKPOINT, RESOURCE_EVENTLOG, recordText } from './resource-records.ts'

/** A node that is drained. */
export interface DrainedNode {
  readonly rank: number
  /** Its name; undefined where the records do not tell it (before flux-core 0.62). */
  readonly host: string | undefined
  /** When it was drained, in seconds since 1970. */
  readonly since: number
  readonly reason: string | undefined
}

/**
 * The nodes that were drained, by rank.
 *
 * @param options - a fault is a record that cannot be read, or a line of it that makes no sense: `EINVAL`
 * @throws {FluxError} the signal was aborted
 */
export async function drainedNodes(reader: KvsReader, options: InspectOptions<FluxError> = {}): Promise<DrainedNode[]> {
  const report = faultReporter(options)
  const nodes = new DrainState((what) => report(new FluxError('EINVAL', what)))
  const checkpoint = await recordText(reader, RESOURCE_CHECKPOINT, report)
  const from = checkpoint === undefined ? 0 : nodes.restore(checkpoint)
  const eventlog = await recordText(reader, RESOURCE_EVENTLOG, report)
  if (eventlog !== undefined) nodes.replay(eventlog, from)
  return nodes.drained
}

class DrainState {
  readonly #nodes = new Map<number, DrainedNode>()
  readonly #complain: (what: string) => void

  constructor(complain: (what: string) => void) {
    this.#complain = complain
  }

  get drained(): DrainedNode[] {
    return [...this.#nodes.values()].sort((a, b) => a.rank - b.rank)
  }

  /** Take over the state of a checkpoint. @returns its time: older events are in it */
  restore(text: string): number {
    const checkpoint = parsedRecord(text)
    const states = memberAt(checkpoint, 'drain_state')
    const timestamp = numberAt(checkpoint, 'timestamp')
    if (timestamp === undefined || !isRecord(states)) {
      this.#complain(`${RESOURCE_CHECKPOINT}: not a checkpoint of the resource module`)
      return 0
    }
    this.#summary(states, RESOURCE_CHECKPOINT)
    return timestamp
  }

  replay(text: string, from: number): void {
    const { entries, bad } = parseEventlog(text, { tolerant: true })
    for (const { line, reason } of bad) this.#complain(`${RESOURCE_EVENTLOG}: line ${line}: ${reason}`)
    for (const { timestamp, name, context = {} } of entries) {
      if (timestamp < from) continue
      if (name === 'resource-init') {
        // Before flux-core 0.62 this event repeated the state at each start.
        this.#nodes.clear()
        const states = memberAt(context, 'drain')
        if (isRecord(states)) this.#summary(states, RESOURCE_EVENTLOG)
        continue
      }
      if (name !== 'drain' && name !== 'undrain') continue
      const targets = nodesNamed(stringAt(context, 'idset') ?? '', context, RESOURCE_EVENTLOG, this.#complain)
      const overwrite = numberAt(context, 'overwrite') ?? 1
      for (const { rank, host } of targets) {
        if (name === 'undrain') this.#nodes.delete(rank)
        else this.#drain(rank, host, timestamp, stringAt(context, 'reason'), overwrite)
      }
    }
  }

  /** State as the resource module writes it: an object for each set of ranks. */
  #summary(states: JsonRecord, where: string): void {
    for (const [ranks, state] of Object.entries(states)) {
      const since = numberAt(state, 'timestamp') ?? 0
      // No reason is written as an empty one.
      const reason = stringAt(state, 'reason') || undefined
      for (const { rank, host } of nodesNamed(ranks, state, where, this.#complain))
        this.#drain(rank, host, since, reason, 0)
    }
  }

  #drain(rank: number, host: string | undefined, since: number, reason: string | undefined, overwrite: number): void {
    const before = this.#nodes.get(rank)
    if (before?.reason !== undefined && overwrite === 0) return
    // A new reason leaves the time as it was, unless that is to be written over too.
    const time = before !== undefined && overwrite !== 2 ? before.since : since
    this.#nodes.set(rank, { rank, host: host ?? before?.host, since: time, reason })
  }
}
