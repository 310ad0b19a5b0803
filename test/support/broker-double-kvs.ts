/** What the KVS modules of a broker answer, by flux_kvs_lookup(3). */
import { encodeJson, type JsonObject } from '../../src/flux/index.ts'
import type { Answer, Namespace } from './broker-double-services.ts'
import type { Obj } from './trees.ts'

/** Flags of a lookup. */
export const LOOKUP_FLAG = { readdir: 1, readlink: 2, watch: 4, treeobj: 16, append: 256, stream: 512 }

type Load = (hex: string) => Uint8Array | undefined

/** A refusal. */
class Refused extends Error {
  readonly errnum: number
  readonly text: string | undefined
  constructor(errnum: number, text?: string) {
    super(text ?? `errno ${errnum}`)
    this.errnum = errnum
    this.text = text
  }
}

/** The answer to `kvs.lookup`, or the first one to `kvs-watch.lookup`. @param log - the broker's */
export function lookup(
  request: JsonObject,
  namespaces: Record<string, Namespace>,
  load: Load,
  log: (line: string) => void = () => {},
): Answer {
  try {
    const val = find(request, namespaces, load)
    return { payload: encodeJson({ val: val as unknown as JsonObject }) }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { errnum, text } = error
    if (errnum === 131) log(String(text))
    return { errnum, ...(text === undefined || errnum === 131 ? {} : { text }) }
  }
}

/** An answer a blob, for those who asked so. */
export function streamed({ payload }: Answer, { flags }: JsonObject, load: Load): Answer[] {
  const { append, stream, watch, treeobj } = LOOKUP_FLAG
  const { val } = JSON.parse(
    Buffer.from(payload as Uint8Array)
      .toString('utf8')
      .slice(0, -1),
  ) as { val: Obj }
  const bits = Number(flags)
  if (!(bits & (append | stream))) return [valueAnswer(bits & treeobj ? val : whole(val, load))]
  const blobs =
    val.type === 'valref' ? (val.data as string[]).map((blobref) => blob(blobref, load)) : [whole(val, load)]
  const parts = blobs.map((bytes) => valueAnswer(bytes instanceof Uint8Array ? valOf(bytes) : bytes))
  return bits & watch ? parts : [...parts, { errnum: 61 }]
}

function valueAnswer(val: Obj): Answer {
  return { payload: encodeJson({ val: val as unknown as JsonObject }) }
}

function find(request: JsonObject, namespaces: Record<string, Namespace>, load: Load): Obj {
  const { key, flags, namespace, rootdir } = request as unknown as {
    key: string
    flags: number
    namespace?: string
    rootdir?: Obj
  }
  const { readdir, readlink, treeobj, append, stream } = LOOKUP_FLAG
  // The kvs-watch module asks for what is stored.
  const followsLast = !(flags & (readlink | treeobj | append | stream))
  const walk = (root: Obj, key: string, depth: number): Obj => {
    const names = key.split('.').filter((name) => name !== '')
    let at = root
    for (const [i, name] of names.entries()) {
      // That of the end of a link's target, which has not been followed either.
      if (at.type === 'symlink') throw new Refused(131, `unknown/unexpected dirent type: pathcomp=${name}`)
      if (at.type !== 'dirref' && at.type !== 'dir') throw new Refused(2)
      const entry: Obj | undefined = entries(at, load)[name]
      if (entry === undefined) throw new Refused(2)
      at = entry
      if (entry.type !== 'symlink' || (i === names.length - 1 && !followsLast)) continue
      if (depth === 10) throw new Refused(40)
      const { target, namespace } = entry.data as { target: string; namespace?: string }
      at = walk(namespace === undefined ? root : dirref(rootOf(namespaces, namespace)), target, depth + 1)
    }
    return at
  }
  const at = walk(rootdir ?? dirref(rootOf(namespaces, namespace as string)), key, 0)
  const isDir = at.type === 'dirref' || at.type === 'dir'
  if (flags & treeobj) return at
  if (flags & readlink) {
    if (at.type !== 'symlink') throw new Refused(22)
    return at
  }
  if (flags & readdir) {
    if (!isDir) throw new Refused(20)
    return { data: entries(at, load), type: 'dir', ver: 1 }
  }
  const isStored = (flags & (append | stream)) !== 0
  if (isStored && at.type !== 'val' && at.type !== 'valref') {
    throw new Refused(
      isDir ? 21 : 22,
      `${at.type} cannot be ${flags & stream ? 'streamed' : 'watched with WATCH_APPEND'}`,
    )
  }
  if (isDir) throw new Refused(21)
  return isStored ? at : whole(at, load)
}

function rootOf(namespaces: Record<string, Namespace>, namespace: string): string {
  const found = namespaces[namespace]
  if (!found) throw new Refused(95)
  return found.rootref
}

function dirref(blobref: string): Obj {
  return { data: [blobref], type: 'dirref', ver: 1 }
}

function entries(dir: Obj, load: Load): Record<string, Obj> {
  if (dir.type === 'dir') return dir.data as Record<string, Obj>
  const text = Buffer.from(blob((dir.data as string[])[0] as string, load)).toString()
  return (JSON.parse(text) as Obj).data as Record<string, Obj>
}

/** A value as a `val`, whatever it is stored as. */
function whole(obj: Obj, load: Load): Obj {
  if (obj.type !== 'valref') return obj
  return valOf(Buffer.concat((obj.data as string[]).map((blobref) => blob(blobref, load))))
}

function valOf(bytes: Uint8Array): Obj {
  return { data: Buffer.from(bytes).toString('base64'), type: 'val', ver: 1 }
}

function blob(blobref: string, load: Load): Uint8Array {
  const bytes = load(blobref.slice(blobref.indexOf('-') + 1))
  if (bytes === undefined) throw new Refused(2)
  return bytes
}
