/** What the records of an instance tell about it: its resources, what its nodes went through, its starts and ends. */
import { FluxError } from '../errors/index.ts'
import { type InstanceResources, instanceResources, type NodeHistory, nodeHistory } from '../inspect/index.ts'
import { type EventlogEntry, isNoSuchKey, parseEventlog, type Snapshot, SnapshotReader } from '../kvs/index.ts'
import type { Faults } from './faults.ts'

/** The log of starts and ends. @see flux-startlog(1) */
const STARTLOG = 'admin.eventlog'

export interface InstanceRecords {
  readonly resources: InstanceResources | undefined
  readonly history: NodeHistory
  /** The events of `admin.eventlog`. */
  readonly starts: readonly EventlogEntry[]
}

const NO_HISTORY: NodeHistory = { from: undefined, to: undefined, spans: [], events: [], hosts: new Map() }

/** Read the records of the instance. */
export async function instanceRecords(
  snapshot: Snapshot,
  { faults, signal }: { faults: Faults; signal: AbortSignal | undefined },
): Promise<InstanceRecords> {
  const reader = new SnapshotReader(snapshot, { signal })
  const { onFault } = faults
  return {
    resources: await faults.attempt('resource.R', () => instanceResources(reader, { onFault, signal }), undefined),
    history: await faults.attempt('resource.eventlog', () => nodeHistory(reader, { onFault, signal }), NO_HISTORY),
    starts: await faults.attempt(STARTLOG, () => startsOf(reader, faults), []),
  }
}

async function startsOf(reader: SnapshotReader, faults: Faults): Promise<EventlogEntry[]> {
  const parts: Uint8Array[] = []
  try {
    for await (const batch of reader.read(STARTLOG)) for (const part of batch) parts.push(Buffer.from(part))
  } catch (error) {
    if (error instanceof FluxError && isNoSuchKey(error)) return []
    throw error
  }
  const { entries, bad } = parseEventlog(Buffer.concat(parts).toString(), { tolerant: true })
  for (const { line, reason } of bad) faults.add(`${STARTLOG}: line ${line}: ${reason}`, 'EINVAL')
  return entries
}

/** When the records of an instance begin, in seconds since 1970. */
export function beginOf({ history, starts }: InstanceRecords): number | undefined {
  const times = [history.from, starts[0]?.timestamp].filter((time) => time !== undefined && time > 0)
  return times.length === 0 ? undefined : Math.min(...(times as number[]))
}
