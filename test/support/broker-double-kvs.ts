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
  constructor(errnum: number) {
    super(`errno ${errnum}`)
    this.errnum = errnum
  }
}

/** The answer to `kvs.lookup`, or the first one to `kvs-watch.lookup`. */
export function lookup(request: JsonObject, namespaces: Record<string, Namespace>, load: Load): Answer {
  try {
    const val = find(request, namespaces, load)
    return { payload: encodeJson({ val: val as unknown as JsonObject }) }
  } catch (error) {
    if (error instanceof Refused) return { errnum: error.errnum }
    throw error
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
  let root = rootdir ?? dirref(rootOf(namespaces, namespace as string))
  let names = key.split('.').filter((name) => name !== '')
  let at = root
  let links = 0
  for (let i = 0; i < names.length; i++) {
    if (at.type !== 'dirref' && at.type !== 'dir') throw new Refused(2)
    const entry: Obj | undefined = entries(at, load)[names[i] as string]
    if (entry === undefined) throw new Refused(2)
    at = entry
    if (entry.type !== 'symlink' || (i === names.length - 1 && flags & (readlink | treeobj))) continue
    // kvs-watch looks at what is stored.
    if (i === names.length - 1 && flags & stream) throw new Refused(22)
    if (++links > 10) throw new Refused(40)
    const target = entry.data as { target: string; namespace?: string }
    if (target.namespace !== undefined) root = dirref(rootOf(namespaces, target.namespace))
    names = [...target.target.split('.').filter((name) => name !== ''), ...names.slice(i + 1)]
    at = root
    i = -1
  }
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
  if (isDir) throw new Refused(21)
  return flags & (append | stream) ? at : whole(at, load)
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
