/** Which snapshot a report shows. */
import { shellWord } from '../errors/index.ts'
import { namespaceRoots, PRIMARY_NAMESPACE, type Snapshot } from '../kvs/index.ts'
import type { Faults } from './faults.ts'
import type { InstanceRecords } from './instance.ts'
import type { Names } from './names.ts'
import type { ReportSource } from './options.ts'
import type { ReportSnapshot } from './report-data.ts'

/** Namespaces in a list. */
const LISTED = 100

/** The facts of a snapshot. */
export async function snapshotFacts(
  { snapshot, name, kind, flags, rootFlags = '', word = shellWord(name) }: ReportSource,
  { resources, starts }: InstanceRecords,
  { names, faults, signal }: { names: Names; faults: Faults; signal: AbortSignal | undefined },
): Promise<ReportSnapshot> {
  const { rootref, hash, sequence = null, timestamp = null, namespace = PRIMARY_NAMESPACE } = snapshot
  const versions = new Set<string>()
  for (const { context } of starts) {
    const version = context?.core_version
    if (typeof version === 'string') versions.add(names.version(version))
  }
  const { nnodes = null, ncores = null, ngpus = null } = resources ?? {}
  const namespaces = await faults.attempt('namespaces', () => namespacesOf(snapshot, faults, signal), [])
  return {
    source: names.source(name),
    kind,
    rootref,
    arguments: names.redacted ? null : { store: flags, root: rootFlags, source: word },
    hash,
    sequence,
    timestamp,
    namespace: names.namespace(namespace),
    namespaces: namespaces.slice(0, LISTED).map(({ name, owner, ...rest }) => ({
      name: names.namespace(name),
      owner: names.redacted ? null : owner,
      ...rest,
    })),
    versions: [...versions].slice(-LISTED),
    nodeCount: nnodes,
    coreCount: ncores,
    gpuCount: ngpus,
  }
}

type Namespaces = ReportSnapshot['namespaces'][number][]

async function namespacesOf(snapshot: Snapshot, faults: Faults, signal: AbortSignal | undefined): Promise<Namespaces> {
  const { store, rootref } = snapshot
  const { onFault } = faults
  const known: Namespaces = [{ name: snapshot.namespace ?? PRIMARY_NAMESPACE, owner: null, rootref }]
  if (store.instance) {
    const { kvs } = store.instance
    // Only the owner of the instance may ask for them.
    const all = await kvs.namespaces().catch(() => [])
    const found: Namespaces = []
    for (const { namespace: name, owner } of all.slice(0, LISTED)) {
      const root = await kvs.root(name).catch(() => undefined)
      if (root !== undefined) found.push({ name, owner, rootref: root.rootref })
    }
    if (found.length > 0) return found
  }
  for (const root of await namespaceRoots(snapshot, { onFault, signal }))
    known.push({ name: `job-${root.jobid}`, owner: null, rootref: root.rootref })
  return known
}
