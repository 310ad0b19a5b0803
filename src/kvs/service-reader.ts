import { type KvsLookup, type KvsService, LOOKUP } from '../content/index.ts'
import { type ErrnoName, FluxError, printable } from '../errors/index.ts'
import type { Child, KvsReader, LookupKind } from './kvs-reader.ts'
import { keyComponents } from './lookup.ts'
import { PRIMARY_NAMESPACE } from './snapshot.ts'
import { decodeInline } from './tree-faults.ts'
import {
  asWithInvalid,
  type DirObj,
  type Dirref,
  isDir,
  type Symlink,
  type TreeObj,
  type Val,
  type Valref,
} from './treeobj.ts'

const KIND_FLAGS: Record<LookupKind, number> = {
  value: 0,
  dir: LOOKUP.READDIR,
  link: LOOKUP.READLINK,
  treeobj: LOOKUP.TREEOBJ,
}

/** What the service answers with to each kind: it puts the blobs of a value together. */
const ANSWERS = {
  value: ['val'],
  dir: ['dir'],
  link: ['symlink'],
  treeobj: ['val', 'valref', 'dir', 'dirref', 'symlink'],
} as const satisfies Record<LookupKind, readonly TreeObj['type'][]>

/** Errors of a stream after which a plain lookup may still succeed. */
const UNSTREAMED: readonly ErrnoName[] = ['EINVAL', 'ENOSYS', 'ENOTRECOVERABLE', 'EPROTO']

/** Most lookups in flight: each answer holds a whole value, but values are usually small. */
const BATCH = 64

/** Where a {@link ServiceReader} starts from. */
export interface ServiceReaderOptions {
  /** The namespace that keys start from (default `primary`). */
  namespace?: string | undefined
  /** The tree object of a root directory that keys start from, instead of a namespace. */
  rootdir?: Dirref | undefined
  signal?: AbortSignal | undefined
}

/** Which changes of a key {@link ServiceReader.watch} yields, and in which form. */
export interface KvsChanges {
  /** Yield the tree object as it is stored; a link at the end of the key is not followed. */
  treeobj?: boolean | undefined
  /** Wait for the key to be created. */
  waitCreate?: boolean | undefined
  /** Skip changes that leave the value as it was. */
  uniq?: boolean | undefined
  /** Yield only the bytes that were appended. */
  append?: boolean | undefined
  /** Also yield changes made by replacing a directory above the key. */
  full?: boolean | undefined
  signal?: AbortSignal | undefined
}

/**
 * Looks up keys in a live instance through its KVS service. Each call sees the current state. It needs no permission to
 * load content.
 */
export class ServiceReader implements KvsReader {
  readonly #service: KvsService
  readonly #start: Pick<KvsLookup, 'namespace' | 'rootdir'>
  readonly #signal: AbortSignal | undefined
  /** Keys known to be directories. */
  readonly #dirs = new Set<string>()

  constructor(service: KvsService, { namespace = PRIMARY_NAMESPACE, rootdir, signal }: ServiceReaderOptions = {}) {
    this.#service = service
    this.#start = rootdir === undefined ? { namespace } : { rootdir }
    this.#signal = signal
  }

  lookup(key: string, kind?: 'value'): Promise<Val | Valref>
  lookup(key: string, kind: 'dir'): Promise<DirObj>
  lookup(key: string, kind: 'link'): Promise<Symlink>
  lookup(key: string, kind: LookupKind): Promise<TreeObj>
  async lookup(key: string, kind: LookupKind = 'value'): Promise<TreeObj> {
    return checked(key, kind, await this.#service.lookup(this.#request(key, KIND_FLAGS[kind]), this.#signal))
  }

  /** Look up a key, and wait for its creation if it does not exist. @returns its object */
  async awaited(key: string, kind: LookupKind = 'value'): Promise<TreeObj> {
    const request = this.#request(key, KIND_FLAGS[kind] | LOOKUP.WAITCREATE)
    return checked(key, kind, await this.#service.lookup(request, this.#signal))
  }

  async *read(key: string): AsyncGenerator<readonly Uint8Array[], void, void> {
    let any = false
    try {
      if (await this.#isInParts(key)) {
        for await (const part of this.#service.lookupStream(this.#request(key, LOOKUP.STREAM), this.#signal)) {
          any = true
          yield [decodeInline(checked(key, 'value', part), () => key)]
        }
        return
      }
    } catch (error) {
      // A directory of the key may have become a link meanwhile. There are no streams before v0.70, nor without the
      // kvs-watch module.
      const isRefused = error instanceof FluxError && UNSTREAMED.includes(error.code)
      if (any || !isRefused) throw error
    }
    yield [decodeInline((await this.lookup(key)) as Val, () => key)]
  }

  /**
   * True for a value in several blobs that the service can stream. It cannot stream through a link: for a stream or a
   * tree object it does not follow a link at the end of the key, and then it does not follow one at the end of a link's
   * target either. So a link to a link fails there, and logs a line in the broker. Hence this looks up each directory
   * of the key first, one after the other.
   *
   * @returns false also when there is no such value: {@link lookup} then reports the error for the whole key
   * @see flux-core `src/modules/kvs/lookup.c`, `walk_symlink`
   */
  async #isInParts(key: string): Promise<boolean> {
    // A stream shows the current root, and cannot start from a given directory.
    if (this.#start.rootdir !== undefined) return false
    const names = keyComponents(key)
    try {
      for (let i = 1; i < names.length; i++) {
        const above = names.slice(0, i).join('.')
        if (this.#dirs.has(above)) continue
        if (!isDir(await this.lookup(above, 'treeobj'))) return false
        this.#dirs.add(above)
      }
      const obj = await this.lookup(key, 'treeobj')
      return obj.type === 'valref' && obj.data.length > 1
    } catch {
      return false
    }
  }

  /**
   * Watch a key: yield what it holds now, and again after each change.
   *
   * @throws {FluxError} `ENOENT` there is no such key, or it was removed; `EINVAL` with `append`, the key was
   *   overwritten
   */
  async *watch(key: string, changes: KvsChanges = {}): AsyncGenerator<TreeObj, void, void> {
    const { treeobj, waitCreate, uniq, append, full, signal = this.#signal } = changes
    const flags =
      LOOKUP.WATCH |
      (treeobj ? LOOKUP.TREEOBJ : 0) |
      (waitCreate ? LOOKUP.WAITCREATE : 0) |
      (uniq ? LOOKUP.WATCH_UNIQ : 0) |
      (append ? LOOKUP.WATCH_APPEND : 0) |
      (full ? LOOKUP.WATCH_FULL : 0)
    for await (const answer of this.#service.lookupStream(this.#request(key, flags), signal)) {
      yield checked(key, treeobj ? 'treeobj' : 'value', answer)
    }
  }

  async openDirs(children: readonly Child<DirObj | Dirref>[]): Promise<(DirObj | FluxError)[]> {
    return this.#answers(children, 'dir', (obj) => (obj.type === 'dir' ? obj : undefined)) as Promise<
      (DirObj | FluxError)[]
    >
  }

  async readStarts(children: readonly Child<Val | Valref>[]): Promise<(Uint8Array | FluxError)[]> {
    const answers = await this.#answers(children, 'value', (obj) => (obj.type === 'val' ? obj : undefined))
    return answers.map((answer, i) => {
      if (answer instanceof FluxError) return answer
      return resultOrError(() => decodeInline(answer as Val, () => (children[i] as Child).key))
    })
  }

  /** The object or error of each child. A child for which `known` returns an object is not looked up. */
  async #answers(
    children: readonly Child[],
    kind: 'value' | 'dir',
    known: (obj: TreeObj) => TreeObj | undefined,
  ): Promise<(TreeObj | FluxError)[]> {
    const answers: (TreeObj | FluxError)[] = []
    for (let at = 0; at < children.length; at += BATCH) {
      const part = children.slice(at, at + BATCH)
      const asked = part.filter(({ obj }) => known(obj) === undefined)
      const requests = asked.map(({ key }) => this.#request(key, KIND_FLAGS[kind]))
      const results = (await this.#service.lookupBatch(requests, this.#signal)).values()
      for (const { key, obj } of part) {
        const object = known(obj)
        if (object !== undefined) {
          answers.push(object)
          continue
        }
        const { value } = results.next()
        answers.push(value instanceof FluxError ? value : resultOrError(() => checked(key, kind, value)))
      }
    }
    return answers
  }

  #request(key: string, flags: number): KvsLookup {
    // Throws for an empty key: the service would report a protocol error.
    keyComponents(key)
    return { key, flags, ...this.#start }
  }
}

function checked(key: string, kind: 'value', answer: unknown): Val
function checked(key: string, kind: LookupKind, answer: unknown): TreeObj
function checked(key: string, kind: LookupKind, answer: unknown): TreeObj {
  let obj: TreeObj
  try {
    obj = asWithInvalid(answer)
  } catch (cause) {
    throw new FluxError('EPROTO', `${printable(key)}: ${(cause as Error).message}`, { cause })
  }
  const types: readonly TreeObj['type'][] = ANSWERS[kind]
  if (types.includes(obj.type)) return obj
  throw new FluxError('EPROTO', `${printable(key)}: the broker answered with a ${obj.type}, and not with a ${types[0]}`)
}

function resultOrError<T>(work: () => T): T | FluxError {
  try {
    return work()
  } catch (error) {
    if (error instanceof FluxError) return error
    throw error
  }
}
