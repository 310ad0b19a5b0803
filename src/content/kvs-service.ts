import type { FluxError } from '../errors/index.ts'

/** Flags of a lookup. @see flux_kvs_lookup(3); flux-core `src/common/libkvs/kvs.h` */
export const LOOKUP = {
  READDIR: 1,
  READLINK: 2,
  WATCH: 4,
  WAITCREATE: 8,
  TREEOBJ: 16,
  WATCH_FULL: 64,
  WATCH_UNIQ: 128,
  WATCH_APPEND: 256,
  STREAM: 512,
} as const

/** A lookup request to the KVS service. */
export interface KvsLookup {
  readonly key: string
  /** Bits of {@link LOOKUP}. */
  readonly flags: number
  readonly namespace?: string | undefined
  /** The tree object of a directory to start from, instead of the root of the namespace. */
  readonly rootdir?: unknown
}

/** The root of a namespace at one moment. */
export interface NamespaceRoot {
  /** Blobref of the root directory. */
  readonly rootref: string
  /** KVS sequence number: it grows with each commit. */
  readonly sequence: number
}

/** A namespace of an instance. */
export interface KvsNamespace {
  readonly namespace: string
  /** User id. */
  readonly owner: number
  readonly flags: number
}

/**
 * The KVS of a live instance. A guest may read only the namespaces that the guest owns. Answers are tree objects, which
 * are not checked. Messages of lookup errors begin with the key and end with the text of the errno.
 */
export interface KvsService {
  /** Look up a key. @throws {FluxError} the service answers with an error; the connection is lost */
  lookup(request: KvsLookup, signal?: AbortSignal): Promise<unknown>
  /** Look up many keys at once. @returns for each, the answer or the error */
  lookupBatch(requests: readonly KvsLookup[], signal?: AbortSignal): Promise<(unknown | FluxError)[]>
  /** Look up with WATCH or STREAM. @yields an answer for each change, or for each part of the value */
  lookupStream(request: KvsLookup, signal?: AbortSignal): AsyncGenerator<unknown, void, void>
  /**
   * The current root of a namespace, and the user ID of its owner.
   * @throws {FluxError} `ENOTSUP` no such namespace; `ENOSYS` the KVS is not running
   */
  root(namespace: string): Promise<NamespaceRoot & { readonly owner: number }>
  /** All namespaces; for the owner of the instance only. */
  namespaces(): Promise<KvsNamespace[]>
  /** Wait until a namespace reaches a sequence number. @returns its root then */
  waitVersion(namespace: string, sequence: number, signal?: AbortSignal): Promise<NamespaceRoot>
}
