/**
 * Which nodes were drained, when a snapshot was taken: the state that the resource module keeps in `checkpoint.resource`,
 * and the events in `resource.eventlog` since then.
 *
 * @see flux-core `src/modules/resource/drain.c`, `upgrade.c`; flux-resource(1), "drain"
 */
import { parseJson } from '../../bytes/index.ts'
import { FluxError } from '../../errors/index.ts'
import { isNoSuchKey, type KvsReader, parseEventlog } from '../../kvs/index.ts'
import { Hostlist, Idset } from '../../resource/index.ts'
import { faultReporter, type InspectOptions } from '../inspect-options.ts'
import { isRecord, type JsonRecord, memberAt, numberAt, stringAt } from '../json.ts'

/** A node that is drained. */
export interface DrainedNode {
  readonly rank: number
  /** Its name; undefined where the records do not tell it (before flux-core 0.62). */
  readonly host: string | undefined
  /** When it was drained, in seconds since 1970. */
  readonly since: number
  readonly reason: string | undefined
}

const CHECKPOINT = 'checkpoint.resource'
const EVENTLOG = 'resource.eventlog'

/**
 * The nodes that were drained, by rank.
 *
 * @param options - a fault is a record that cannot be read, or a line of it that makes no sense: `EINVAL`
 * @throws {FluxError} the signal was aborted
 */
export async function drainedNodes(reader: KvsReader, options: InspectOptions<FluxError> = {}): Promise<DrainedNode[]> {
  const report = faultReporter(options)
  const nodes = new DrainState((what) => report(new FluxError('EINVAL', what)))
  const checkpoint = await textOf(reader, CHECKPOINT, report)
  const from = checkpoint === undefined ? 0 : nodes.restore(checkpoint)
  const eventlog = await textOf(reader, EVENTLOG, report)
  if (eventlog !== undefined) nodes.replay(eventlog, from)
  return nodes.drained
}

/** The text of a value; undefined when the key does not exist or cannot be read. */
async function textOf(reader: KvsReader, key: string, report: (fault: FluxError) => void): Promise<string | undefined> {
  const parts: Uint8Array[] = []
  try {
    for await (const batch of reader.read(key)) for (const part of batch) parts.push(Buffer.from(part))
  } catch (error) {
    if (!(error instanceof FluxError) || error.code === 'EINTR' || error.code === 'ETIMEDOUT') throw error
    if (!isNoSuchKey(error)) report(error)
    return undefined
  }
  return Buffer.concat(parts).toString()
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
    const checkpoint = parsed(text)
    const states = memberAt(checkpoint, 'drain_state')
    const timestamp = numberAt(checkpoint, 'timestamp')
    if (timestamp === undefined || !isRecord(states)) {
      this.#complain(`${CHECKPOINT}: not a checkpoint of the resource module`)
      return 0
    }
    this.#summary(states, CHECKPOINT)
    return timestamp
  }

  replay(text: string, from: number): void {
    const { entries, bad } = parseEventlog(text, { tolerant: true })
    for (const { line, reason } of bad) this.#complain(`${EVENTLOG}: line ${line}: ${reason}`)
    for (const { timestamp, name, context = {} } of entries) {
      if (timestamp < from) continue
      if (name === 'resource-init') {
        // Before flux-core 0.62 this event repeated the state at each start.
        this.#nodes.clear()
        const states = memberAt(context, 'drain')
        if (isRecord(states)) this.#summary(states, EVENTLOG)
        continue
      }
      if (name !== 'drain' && name !== 'undrain') continue
      const targets = this.#targets(stringAt(context, 'idset') ?? '', context, EVENTLOG)
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
      for (const { rank, host } of this.#targets(ranks, state, where)) this.#drain(rank, host, since, reason, 0)
    }
  }

  #drain(rank: number, host: string | undefined, since: number, reason: string | undefined, overwrite: number): void {
    const before = this.#nodes.get(rank)
    if (before?.reason !== undefined && overwrite === 0) return
    // A new reason leaves the time as it was, unless that is to be written over too.
    const time = before !== undefined && overwrite !== 2 ? before.since : since
    this.#nodes.set(rank, { rank, host: host ?? before?.host, since: time, reason })
  }

  #targets(ranks: string, context: unknown, where: string): { rank: number; host: string | undefined }[] {
    const set = Idset.parse(ranks)
    const hosts = Hostlist.parse(stringAt(context, 'nodelist') ?? '')
    if (set === undefined || hosts === undefined || set.size > MAX_RANKS) {
      this.#complain(`${where}: not a set of ranks and hosts: ${JSON.stringify(ranks)}`)
      return []
    }
    return [...set].map((rank, i) => ({ rank, host: hosts.at(i) }))
  }
}

/** A broker has fewer ranks. A few bytes of a damaged record must not fill the memory. */
const MAX_RANKS = 1 << 20

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
