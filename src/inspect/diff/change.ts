/** What a comparison of two trees says. */
import type { Symlink, Val, Valref } from '../../kvs/index.ts'

/** What a key can hold that is no directory. */
export type Leaf = Val | Valref | Symlink

/** What a key holds on one side. */
export type KeyContent =
  | { readonly type: 'value'; readonly size: number; readonly obj: Exclude<Leaf, { type: 'symlink' }> }
  | { readonly type: 'symlink'; readonly target: string; readonly namespace: string | undefined }

/** One key that is not the same on both sides. */
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
  /** What came of comparing them; null when they are the same. */
  change: Change | null | undefined
}
