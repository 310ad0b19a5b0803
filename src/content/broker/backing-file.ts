/** Finds the store on disk that a live instance has as its backing store, when it can be read beside the broker. */
import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { FluxError } from '../../errors/index.ts'
import { hasOpen } from '../../files/index.ts'
import type { Flux } from '../../flux/index.ts'
import type { ReadPlan } from '../store-kind.ts'
import { STORE_KINDS } from '../store-kinds.ts'

/** A store on disk that a broker holds, and how it is read beside that. */
export interface BackingFile {
  readonly path: string
  readonly plan: ReadPlan
}

/**
 * The file of the backing store. It is the one that the process of the broker has open, on this host: what lies at the path
 * may be another, and a container may have the same host name.
 *
 * @param flux - connected to rank 0
 * @returns undefined when there is none: the instance is on another host or in another container, the broker's process is
 *   another user's, or its backing store is of a kind that cannot be read beside it
 * @throws {FluxError} the instance does not answer
 */
export async function findBackingFile(flux: Flux, signal: AbortSignal | undefined): Promise<BackingFile | undefined> {
  if (!flux.uri.startsWith('local:')) return undefined
  const names = ['hostname', 'broker.pid', 'statedir', 'rundir']
  const [host, pid, ...dirs] = await Promise.all(names.map((name) => attribute(flux, name, signal)))
  if (host !== hostname() || !(Number(pid) > 0)) return undefined
  // Without a statedir, older versions of Flux put it into the rundir.
  for (const dir of dirs) {
    for (const kind of STORE_KINDS) {
      if (dir === undefined || kind.openBeside === undefined) continue
      const path = join(dir, kind.fileName)
      if (isHeldBy(Number(pid), path)) return { path, plan: kind.openBeside(path) }
    }
  }
  return undefined
}

function isHeldBy(pid: number, path: string): boolean {
  try {
    return hasOpen(pid, statSync(path))
  } catch {
    // There is none, or it is not for this user.
    return false
  }
}

/** @returns undefined when the broker does not have it */
async function attribute(flux: Flux, name: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  return flux.attrGet(name, { nodeid: 0, signal }).catch((error) => {
    if (error instanceof FluxError && error.code === 'ENOENT') return undefined
    throw error
  })
}
