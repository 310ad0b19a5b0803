import { type KvsLookup, type KvsService, LOOKUP } from '../content/index.ts'
import { type ErrnoName, FluxError, printable } from '../errors/index.ts'
import type { Child, KvsReader, LookupKind } from './kvs-reader.ts'
import { keyComponents } from './lookup.ts'
import { PRIMARY_NAMESPACE } from './snapshot.ts'
import {
  asWithInvalid,
  type DirObj,
  type Dirref,
  decodeVal,
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

/** Why a value cannot be streamed that can be looked up, perhaps. */
const UNSTREAMED: readonly ErrnoName[] = ['EINVAL', 'ENOSYS', 'ENOTRECOVERABLE', 'EPROTO']

/** Lookups in flight at most: values come whole, and are small as a rule. */
const BATCH = 64

/** Where a {@link ServiceReader} starts from. */
export interface ServiceReaderOptions {
  /** Where keys start from (default `primary`). */
  namespace?: string | undefined
  /** A directory to start from, instead: the tree object of a root. */
  rootdir?: Dirref | undefined
  signal?: AbortSignal | undefined
}

/** Which changes of a key are told. */
export interface KvsChanges {
  /** As it is stored, a link not followed. */
  treeobj?: boolean | undefined
  /** Wait for the key to be created. */
  waitCreate?: boolean | undefined
  /** Not those to the value it has. */
  uniq?: boolean | undefined
  /** What is appended, alone. */
  append?: boolean | undefined
  /** Also those by way of a directory above it. */
  full?: boolean | undefined
  signal?: AbortSignal | undefined
}

/**
 * Answers keys out of a live instance, by asking its KVS service: what is there now, with each question. It needs no right
 * to load content.
 */
export class ServiceReader implements KvsReader {
  readonly #service: KvsService
  readonly #start: Pick<KvsLookup, 'namespace' | 'rootdir'>
  readonly #signal: AbortSignal | undefined
  /** Keys that were found to be directories. */
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
    return checked(key, await this.#service.lookup(this.#request(key, KIND_FLAGS[kind]), this.#signal))
  }

  /** Wait for a key to be created. @returns what it holds then */
  async awaited(key: string, kind: LookupKind = 'value'): Promise<TreeObj> {
    const request = this.#request(key, KIND_FLAGS[kind] | LOOKUP.WAITCREATE)
    return checked(key, await this.#service.lookup(request, this.#signal))
  }

  async *read(key: string): AsyncGenerator<readonly Uint8Array[], void, void> {
    let any = false
    try {
      if (await this.#isInParts(key)) {
        for await (const part of this.#service.lookupStream(this.#request(key, LOOKUP.STREAM), this.#signal)) {
          any = true
          yield [decodeVal(checked(key, part) as Val)]
        }
        return
      }
    } catch (error) {
      // The way may have become a link meanwhile. Until v0.70 there were no streams; nor are there without kvs-watch.
      const isRefused = error instanceof FluxError && UNSTREAMED.includes(error.code)
      if (any || !isRefused) throw error
    }
    yield [decodeVal((await this.lookup(key)) as Val)]
  }

  /**
   * True for a value in several blobs, which the service can stream, but not through a link: it follows none at the end of
   * a key that is asked for in parts or by its tree object, and then none at the end of a link's target either. So a link
   * to a link is an error there, and a line in the broker's log. Hence the way is looked at first, one step after the other.
   *
   * @returns false also when there is no such value: {@link lookup} says why, of the whole key
   * @see flux-core `src/modules/kvs/lookup.c`, `walk_symlink`
   */
  async #isInParts(key: string): Promise<boolean> {
    // What is streamed is what is there now, and not in a directory that is given.
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
   * Watch a key: what it holds now, and then at each change.
   *
   * @throws {FluxError} `ENOENT` there is no such key, or no longer; `EINVAL` it was overwritten with `append`
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
      yield checked(key, answer)
    }
  }

  async openDirs(children: readonly Child<DirObj | Dirref>[]): Promise<(DirObj | FluxError)[]> {
    return this.#answers(children, LOOKUP.READDIR, (obj) => (obj.type === 'dir' ? obj : undefined)) as Promise<
      (DirObj | FluxError)[]
    >
  }

  async readStarts(children: readonly Child<Val | Valref>[]): Promise<(Uint8Array | FluxError)[]> {
    const answers = await this.#answers(children, 0, (obj) => (obj.type === 'val' ? obj : undefined))
    return answers.map((answer) => (answer instanceof FluxError ? answer : tried(() => decodeVal(answer as Val))))
  }

  /** What each child holds; those that need no asking are known. */
  async #answers(
    children: readonly Child[],
    flags: number,
    known: (obj: TreeObj) => TreeObj | undefined,
  ): Promise<(TreeObj | FluxError)[]> {
    const answers: (TreeObj | FluxError)[] = []
    for (let at = 0; at < children.length; at += BATCH) {
      const part = children.slice(at, at + BATCH)
      const asked = part.filter(({ obj }) => known(obj) === undefined)
      const requests = asked.map(({ key }) => this.#request(key, flags))
      const results = (await this.#service.lookupBatch(requests, this.#signal)).values()
      for (const { key, obj } of part) {
        const object = known(obj)
        if (object !== undefined) {
          answers.push(object)
          continue
        }
        const { value } = results.next()
        answers.push(value instanceof FluxError ? value : tried(() => checked(key, value)))
      }
    }
    return answers
  }

  #request(key: string, flags: number): KvsLookup {
    // For the error of an empty key: the service would call it a protocol error.
    keyComponents(key)
    return { key, flags, ...this.#start }
  }
}

function checked(key: string, answer: unknown): TreeObj {
  try {
    return asWithInvalid(answer)
  } catch (cause) {
    throw new FluxError('EPROTO', `${printable(key)}: ${(cause as Error).message}`, { cause })
  }
}

function tried<T>(work: () => T): T | FluxError {
  try {
    return work()
  } catch (error) {
    if (error instanceof FluxError) return error
    throw error
  }
}
