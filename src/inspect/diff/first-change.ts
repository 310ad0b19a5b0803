import type { SnapshotRoot } from '../../kvs/index.ts'
import type { InspectOptions } from '../inspect-options.ts'
import type { Change } from './change.ts'
import { diff } from './diff.ts'

/** Options of {@link firstChange}. */
export interface FirstChangeOptions extends InspectOptions {
  /** The second snapshot may lack keys that the first has: it holds a selection. */
  mayLack?: boolean | undefined
}

/**
 * The first key that differs between two snapshots, in the order of {@link diff}.
 *
 * @returns undefined when nothing differs
 * @throws {TreeError} see {@link InspectOptions.onFault}
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export async function firstChange(
  a: SnapshotRoot,
  b: SnapshotRoot,
  { mayLack = false, ...options }: FirstChangeOptions = {},
): Promise<Change | undefined> {
  for await (const batch of diff(a, b, options)) {
    const found = batch.find(({ change }) => change !== 'removed' || !mayLack)
    if (found) return found
  }
  return undefined
}
