import { FluxError } from '../errors/index.ts'
import type { KvsReader } from '../kvs/index.ts'
import { Hostlist, Idset } from '../resource/index.ts'
import { faultReporter, type InspectOptions } from './inspect-options.ts'
import { resourceSetFacts } from './jobs/resource-set.ts'
import { parsedRecord, RESOURCE_SET, recordText } from './nodes/resource-records.ts'

/** The resources of an instance. */
export interface InstanceResources {
  readonly nnodes: number
  readonly ncores: number
  readonly ngpus: number
  readonly ranks: Idset
  /** In the order of the ranks; undefined when they are not told. */
  readonly hosts: Hostlist | undefined
}

/**
 * The resources of an instance, as its record `resource.R` tells them.
 *
 * @returns undefined without that record
 * @param options - a fault is a record that cannot be read, or is not a resource set of version 1: `EINVAL`
 * @throws {FluxError} the signal was aborted
 * @see RFC 20
 */
export async function instanceResources(
  reader: KvsReader,
  options: InspectOptions<FluxError> = {},
): Promise<InstanceResources | undefined> {
  const report = faultReporter(options)
  const text = await recordText(reader, RESOURCE_SET, report)
  if (text === undefined) return undefined
  const facts = resourceSetFacts(parsedRecord(text))
  const ranks = facts && Idset.parse(facts.ranks)
  if (facts === undefined || ranks === undefined) {
    report(new FluxError('EINVAL', `${RESOURCE_SET}: no resource set of version 1`))
    return undefined
  }
  const { nnodes, ncores, ngpus, nodelist } = facts
  return { nnodes, ncores, ngpus, ranks, hosts: nodelist === undefined ? undefined : Hostlist.parse(nodelist) }
}
