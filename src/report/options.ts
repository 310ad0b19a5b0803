import type { Snapshot } from '../kvs/index.ts'

/** What is to be shown, and how it is named. */
export interface ReportSource {
  readonly snapshot: Snapshot
  /** As a person names it: a path, a URI. */
  readonly name: string
  /** `sqlite`, `files`, `archive`, `broker` or the like. */
  readonly kind: string
  /** Flags that name the store in a command: `--store /var/lib/flux`. */
  readonly flags: string
  /** Flags that name the root in a command, if it is not the usual one: `--checkpoint-index 1`. */
  readonly rootFlags?: string | undefined
  /** The word that names it for `diff`: `/var/lib/flux@1` (default: its name). */
  readonly word?: string | undefined
}

/** Names of users. */
export interface UserNames {
  /** Called with many user ids before {@link nameOf} is called for each. */
  learn(userids: Iterable<number | undefined>): void
  /** The name of a user; undefined if unknown. */
  nameOf(userid: number): string | undefined
}

/** Options of {@link gatherReport}. */
export interface ReportOptions {
  /** Name and version of the program. */
  tool: string
  /** Seconds since 1970 (default: now). */
  created?: number | undefined
  users?: UserNames | undefined
  /** Compare with this snapshot, which is the older one. */
  compare?: ReportSource | undefined
  /** Replace names of users, jobs, hosts and the like by tokens. */
  redact?: boolean | undefined
  /** The key of the tokens (default: any, for this report only). */
  redactKey?: Uint8Array | undefined
  /** Called with a one-line warning for each part that cannot be read, and its kind. */
  onWarning?: ((message: string, kind: string) => void) | undefined
  signal?: AbortSignal | undefined
}
