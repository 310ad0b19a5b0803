/** The results of comparing two trees. */
import type { Symlink, Val, Valref } from '../../kvs/index.ts'

/** The tree objects that are not directories. */
export type Leaf = Val | Valref | Symlink

/** What a key holds on one side. */
export type KeyContent =
  | { readonly type: 'value'; readonly size: number; readonly obj: Exclude<Leaf, { type: 'symlink' }> }
  | { readonly type: 'symlink'; readonly target: string; readonly namespace: string | undefined }

/** One key that differs between the two sides. */
export interface Change {
  readonly key: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Undefined when it was added. */
  readonly before: KeyContent | undefined
  /** Undefined when it was removed. */
  readonly after: KeyContent | undefined
}

/** A pair of leaves under one key, or one alone. */
export interface LeafPair {
  readonly kind: 'leaves'
  readonly key: string
  readonly a: Leaf | undefined
  readonly b: Leaf | undefined
  /** The result of the comparison: null when they are the same, undefined when they are not compared yet. */
  change: Change | null | undefined
}
