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

/** What the KVS service is asked. */
export interface KvsLookup {
  readonly key: string
  /** Of {@link LOOKUP}. */
  readonly flags: number
  readonly namespace?: string | undefined
  /** The tree object of a directory, instead of the namespace: where the key starts from. */
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
 * The KVS of a live instance, which anybody may ask for a namespace of his own. Answers are tree objects as they come,
 * unchecked; errors of a lookup begin with the key, and end in the errno's text.
 */
export interface KvsService {
  /** @throws {FluxError} as the service refuses; the connection is lost */
  lookup(request: KvsLookup, signal?: AbortSignal): Promise<unknown>
  /** Many at once. @returns for each the answer, or why there is none */
  lookupBatch(requests: readonly KvsLookup[], signal?: AbortSignal): Promise<(unknown | FluxError)[]>
  /** With WATCH or STREAM: an answer for each change, or for each part. */
  lookupStream(request: KvsLookup, signal?: AbortSignal): AsyncGenerator<unknown, void, void>
  /**
   * The current root of a namespace, and whose it is.
   * @throws {FluxError} `ENOTSUP` no such namespace; `ENOSYS` the KVS is not running
   */
  root(namespace: string): Promise<NamespaceRoot & { readonly owner: number }>
  /** All namespaces; for the owner of the instance only. */
  namespaces(): Promise<KvsNamespace[]>
  /** Wait until a namespace has come to a sequence number. @returns where it is then */
  waitVersion(namespace: string, sequence: number, signal?: AbortSignal): Promise<NamespaceRoot>
}
