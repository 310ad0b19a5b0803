/**
 * What the nodes of an instance went through, as far as its records tell: when each was drained and for what reason, and
 * when it was down. `resource.eventlog` has the events, and `checkpoint.resource` the state at one time, also from
 * before the log begins. Flux does not write to the KVS that nodes went up and down (since flux-core 0.62); older logs
 * have it.
 *
 * @see flux-core `src/modules/resource/drain.c`, `monitor.c`, `reslog.c`
 */
import { FluxError } from '../../errors/index.ts'
import { type EventlogEntry, type KvsReader, parseEventlog } from '../../kvs/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { isRecord, type JsonRecord, memberAt, numberAt, stringAt } from '../json.ts'
import {
  type NamedNode,
  nodesNamed,
  parsedRecord,
  RESOURCE_CHECKPOINT,
  RESOURCE_EVENTLOG,
  recordText,
} from './resource-records.ts'

/** Some time in which a node was drained or down. */
export interface NodeSpan {
  readonly rank: number
  readonly state: 'drained' | 'down'
  /** Seconds since 1970. */
  readonly from: number
  /** Undefined when it lasted to the end of the records. */
  to: number | undefined
  readonly reason: string | undefined
}

/** An event of `resource.eventlog`. */
export interface ResourceEvent {
  readonly timestamp: number
  /** `drain`, `undrain`, `online`, `offline`, `restart`, `resource-define` and so on. */
  readonly name: string
  /** The ranks that it is about, as an idset; empty when it is about none. */
  readonly ranks: string
  /** The names of the nodes, as a hostlist; empty when they are not told. */
  readonly hosts: string
  readonly reason: string | undefined
}

/** The result of {@link nodeHistory}. */
export interface NodeHistory {
  /** Time of the first and of the last event; undefined without any. */
  readonly from: number | undefined
  readonly to: number | undefined
  /** Sorted by rank, then by time. */
  readonly spans: readonly NodeSpan[]
  /** In the order of the log. */
  readonly events: readonly ResourceEvent[]
  /** Names of nodes by rank, as far as the log tells them. */
  readonly hosts: ReadonlyMap<number, string>
}

/** More than any cluster has in its log: a damaged one must not fill the memory. */
const MAX_SPANS = 1 << 18

/**
 * Replay the records of the resource module.
 *
 * @param options - a fault is a record that cannot be read, or a line of it that makes no sense: `EINVAL`
 * @throws {FluxError} the signal was aborted
 */
export async function nodeHistory(reader: KvsReader, options: InspectOptions<FluxError> = {}): Promise<NodeHistory> {
  const report = faultReporter(options)
  const complain = (what: string) => report(new FluxError('EINVAL', what))
  const replay = new Replay(complain)
  const checkpoint = stateOf(await recordText(reader, RESOURCE_CHECKPOINT, report), complain)
  const text = await recordText(reader, RESOURCE_EVENTLOG, report)
  const { entries, bad } = parseEventlog(text ?? '', { tolerant: true })
  for (const { line, reason } of bad) complain(`${RESOURCE_EVENTLOG}: line ${line}: ${reason}`)
  let isRestored = checkpoint === undefined
  for (const entry of entries) {
    if (checkpoint !== undefined && !isRestored && entry.timestamp >= checkpoint.timestamp) {
      replay.restore(checkpoint.states, checkpoint.timestamp, RESOURCE_CHECKPOINT)
      isRestored = true
    }
    replay.event(entry)
  }
  if (checkpoint !== undefined && !isRestored) {
    replay.restore(checkpoint.states, checkpoint.timestamp, RESOURCE_CHECKPOINT)
  }
  return replay.result()
}

interface State {
  readonly timestamp: number
  readonly states: JsonRecord
}

function stateOf(text: string | undefined, complain: (what: string) => void): State | undefined {
  if (text === undefined) return undefined
  const checkpoint = parsedRecord(text)
  const states = memberAt(checkpoint, 'drain_state')
  const timestamp = numberAt(checkpoint, 'timestamp')
  if (timestamp !== undefined && isRecord(states)) return { timestamp, states }
  complain(`${RESOURCE_CHECKPOINT}: not a checkpoint of the resource module`)
  return undefined
}

class Replay {
  readonly #complain: (what: string) => void
  readonly #drained = new Map<number, NodeSpan>()
  readonly #down = new Map<number, NodeSpan>()
  readonly #spans: NodeSpan[] = []
  readonly #events: ResourceEvent[] = []
  readonly #hosts = new Map<number, string>()

  constructor(complain: (what: string) => void) {
    this.#complain = complain
  }

  event({ timestamp, name, context = {} }: EventlogEntry): void {
    const ranks = stringAt(context, 'idset') ?? stringAt(context, 'ranks') ?? ''
    const hosts = stringAt(context, 'nodelist') ?? ''
    const reason = stringAt(context, 'reason') || undefined
    this.#events.push({ timestamp, name, ranks, hosts, reason })
    switch (name) {
      case 'drain': {
        const overwrite = numberAt(context, 'overwrite') ?? 1
        for (const { rank } of this.#nodes(ranks, context)) this.#drain(rank, timestamp, reason, overwrite)
        break
      }
      case 'undrain':
        for (const { rank } of this.#nodes(ranks, context)) this.#end(this.#drained, rank, timestamp)
        break
      case 'online':
        for (const { rank } of this.#nodes(ranks, context)) this.#end(this.#down, rank, timestamp)
        break
      case 'offline':
        for (const { rank } of this.#nodes(ranks, context)) this.#begin(this.#down, 'down', rank, timestamp)
        break
      case 'restart':
        this.#online(ranks, stringAt(context, 'online'), context, timestamp)
        break
      case 'resource-init': {
        // Before flux-core 0.62 this event repeated the state at each start.
        const states = memberAt(context, 'drain')
        this.restore(isRecord(states) ? states : {}, timestamp, RESOURCE_EVENTLOG)
        break
      }
    }
  }

  /** Go on from a state that the resource module has written: an object for each set of drained ranks. */
  restore(states: JsonRecord, timestamp: number, where: string): void {
    const left = new Set(this.#drained.keys())
    for (const [ranks, state] of Object.entries(states)) {
      const since = numberAt(state, 'timestamp') ?? timestamp
      const reason = stringAt(state, 'reason') || undefined
      for (const { rank } of this.#nodes(ranks, state, where)) {
        left.delete(rank)
        if (!this.#drained.has(rank)) this.#begin(this.#drained, 'drained', rank, since, reason)
      }
    }
    for (const rank of left) this.#end(this.#drained, rank, timestamp)
  }

  result(): NodeHistory {
    const order = (a: NodeSpan, b: NodeSpan) => a.rank - b.rank || a.from - b.from
    return {
      from: this.#events[0]?.timestamp,
      to: this.#events.at(-1)?.timestamp,
      spans: this.#spans.sort(order),
      events: this.#events,
      hosts: this.#hosts,
    }
  }

  /** All nodes of the instance, and which of them are up. */
  #online(ranks: string, online: string | undefined, context: unknown, timestamp: number): void {
    if (online === undefined) return
    const up = new Set(nodesNamed(online, {}, RESOURCE_EVENTLOG, this.#complain).map(({ rank }) => rank))
    for (const { rank } of this.#nodes(ranks, context)) {
      if (up.has(rank)) this.#end(this.#down, rank, timestamp)
      else this.#begin(this.#down, 'down', rank, timestamp)
    }
  }

  #drain(rank: number, timestamp: number, reason: string | undefined, overwrite: number): void {
    const before = this.#drained.get(rank)
    if (before !== undefined) {
      if (before.reason !== undefined && overwrite === 0) return
      if (before.reason === reason) return
      this.#end(this.#drained, rank, timestamp)
    }
    this.#begin(this.#drained, 'drained', rank, timestamp, reason)
  }

  #begin(
    open: Map<number, NodeSpan>,
    state: NodeSpan['state'],
    rank: number,
    from: number,
    reason?: string | undefined,
  ): void {
    if (open.has(rank)) return
    if (this.#spans.length === MAX_SPANS) {
      this.#complain(`${RESOURCE_EVENTLOG}: more than ${MAX_SPANS} times in which a node was drained or down`)
    }
    const span = { rank, state, from, to: undefined, reason }
    open.set(rank, span)
    if (this.#spans.length <= MAX_SPANS) this.#spans.push(span)
  }

  #end(open: Map<number, NodeSpan>, rank: number, to: number): void {
    const span = open.get(rank)
    if (span === undefined) return
    span.to = Math.max(span.from, to)
    open.delete(rank)
  }

  #nodes(ranks: string, context: unknown, where = RESOURCE_EVENTLOG): NamedNode[] {
    const nodes = nodesNamed(ranks, context, where, this.#complain)
    for (const { rank, host } of nodes) if (host !== undefined) this.#hosts.set(rank, host)
    return nodes
  }
}
