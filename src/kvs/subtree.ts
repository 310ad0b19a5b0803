import { FluxError, printable } from '../errors/index.ts'
import type { KvsReader } from './kvs-reader.ts'
import { keyComponents } from './lookup.ts'
import { type DirObj, isDir, type TreeObj } from './treeobj.ts'

/** A directory under construction: its names, each with an object or a directory under construction. */
type DirBuilder = Map<string, DirBuilder | TreeObj>

/**
 * Build a directory that holds only some keys of a snapshot, each at its own place. Links in the middle of a key are
 * followed; a link at its end is kept as a link, and so are the links below a selected directory.
 *
 * @param onLink - called with each key that is a link
 * @returns a directory to walk. The directories above the keys are inline in it.
 * @throws {FluxError} as {@link KvsReader.lookup}: `ENOENT` no such key; `EINVAL` one key is below another that is a
 *   value
 */
export async function selectKeys(
  reader: KvsReader,
  keys: readonly string[],
  onLink?: (key: string) => void,
): Promise<DirObj> {
  const root: DirBuilder = new Map()
  for (const key of keys) {
    const obj = await reader.lookup(key, 'treeobj')
    const components = keyComponents(key)
    if (components.length === 0) {
      // The root holds everything: other keys add nothing.
      return reader.lookup('.', 'dir')
    }
    if (obj.type === 'symlink') onLink?.(key)
    put(root, key, components, obj)
  }
  return dirOf(root)
}

function put(root: DirBuilder, key: string, components: readonly string[], obj: TreeObj): void {
  let dir = root
  for (const [i, name] of components.slice(0, -1).entries()) {
    let next = dir.get(name)
    if (next === undefined) dir.set(name, (next = new Map()))
    if (!(next instanceof Map)) {
      if (isDir(next)) return
      throw cannotBeBoth(components.slice(0, i + 1).join('.'), key)
    }
    dir = next
  }
  const name = components.at(-1) as string
  if (dir.get(name) instanceof Map && !isDir(obj))
    throw cannotBeBoth(key, `${key}.${[...(dir.get(name) as DirBuilder)][0]?.[0]}`)
  dir.set(name, obj)
}

function cannotBeBoth(key: string, below: string): FluxError {
  const what = `${printable(key)}: a link or value, which cannot be kept beside ${printable(below)}`
  return new FluxError('EINVAL', what, { hint: 'select the two separately' })
}

function dirOf(builder: DirBuilder): DirObj {
  const data: Record<string, TreeObj> = Object.create(null)
  for (const [name, node] of builder) data[name] = node instanceof Map ? dirOf(node) : node
  return { type: 'dir', ver: 1, data }
}
