import { FluxError } from '../errors/index.ts'

/** As much of a handle as is needed to find the way up. */
interface Handle {
  readonly uri: string
  attrGet(name: string): Promise<string>
  close(): Promise<void>
}

/**
 * Open an instance around the one at `uri`. Each knows its parent's URI only, so those between are opened on the way.
 *
 * @param open - opens a URI
 * @param levels - how many up; with more than there are, or Infinity, the root instance
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
