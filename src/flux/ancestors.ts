import { FluxError } from '../errors/index.ts'

/** The part of a handle that is needed to find the parent instance. */
interface Handle {
  readonly uri: string
  attrGet(name: string): Promise<string>
  close(): Promise<void>
}

/**
 * Open an ancestor of the instance at `uri`. An instance knows only its parent's URI, so all instances between are
 * opened on the way.
 *
 * @param open - opens a URI
 * @param levels - how many levels up; more than there are, or Infinity, opens the root instance
 * @throws {FluxError} what `open` throws; `ENOENT` an instance on the way does not know its parent; `EPROTO`
 * @see flux-core `src/common/libflux/handle.c`, `resolve_ancestor_uri`
 */
export async function openAncestor<T extends Handle>(
  open: (uri: string) => Promise<T>,
  uri: string,
  levels: number,
): Promise<T> {
  let handle = await open(uri)
  if (levels === 0) return handle
  try {
    const level = await handle.attrGet('instance-level')
    if (!/^\d+$/.test(level)) throw new FluxError('EPROTO', `${handle.uri}: instance-level is ${level}, not a number`)
    for (let hops = Math.min(levels, Number(level)); hops > 0; hops--) {
      const parent = await open(await handle.attrGet('parent-uri'))
      await handle.close()
      handle = parent
    }
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}
