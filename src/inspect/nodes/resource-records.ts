/** What the records of the resource module have in common. @see flux-core `src/modules/resource` */
import { parseJson } from '../../bytes/index.ts'
import { FluxError } from '../../errors/index.ts'
import { isNoSuchKey, type KvsReader } from '../../kvs/index.ts'
import { Hostlist, Idset } from '../../resource/index.ts'
import { stringAt } from '../json.ts'

export const RESOURCE_CHECKPOINT = 'checkpoint.resource'
export const RESOURCE_EVENTLOG = 'resource.eventlog'
/** The resource set of the whole instance (RFC 20). */
export const RESOURCE_SET = 'resource.R'

/** A broker has fewer ranks. A few bytes of a damaged record must not fill the memory. */
const MAX_RANKS = 1 << 20

/** A node that an event names. */
export interface NamedNode {
  readonly rank: number
  /** Undefined where the record does not tell it (before flux-core 0.62). */
  readonly host: string | undefined
}

/** The text of a value; undefined when the key does not exist or cannot be read. */
export async function recordText(
  reader: KvsReader,
  key: string,
  report: (fault: FluxError) => void,
): Promise<string | undefined> {
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

/**
 * The nodes that an event or a part of a checkpoint names.
 *
 * @param ranks - an idset
 * @param context - may have the names of the hosts, as `nodelist`
 * @param where - the key of the record, for a complaint
 */
export function nodesNamed(
  ranks: string,
  context: unknown,
  where: string,
  complain: (what: string) => void,
): NamedNode[] {
  const set = Idset.parse(ranks)
  const hosts = Hostlist.parse(stringAt(context, 'nodelist') ?? '')
  if (set === undefined || hosts === undefined || set.size > MAX_RANKS) {
    complain(`${where}: not a set of ranks and hosts: ${JSON.stringify(ranks)}`)
    return []
  }
  const names = hosts[Symbol.iterator]()
  return [...set].map((rank) => ({ rank, host: names.next().value ?? undefined }))
}

/** The value of a record; undefined when it is not JSON. */
export function parsedRecord(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
