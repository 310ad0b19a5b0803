import type { TreeError } from '../kvs/index.ts'

/**
 * What every inspection takes beside its own options. An inspection asks a question of a snapshot, which carries its store:
 * `inspect(snapshot, options)`; one of a store as a whole is `inspect(store, options)`.
 */
export interface InspectOptions<Fault extends object = TreeError> {
  /**
   * Called with each part that cannot be read; the inspection goes on without it. Without this, the first one is thrown, by
   * those inspections that look for something else than faults.
   */
  onFault?: ((fault: Fault) => void) | undefined
  /** Ends the inspection: it throws `EINTR`, `ETIMEDOUT`, or the signal's reason. */
  signal?: AbortSignal | undefined
}

/** Where an inspection reports what it cannot read. @returns calls `onFault`, or throws what it is given */
export function faultReporter<Fault extends object>({ onFault }: InspectOptions<Fault>): (fault: Fault) => void {
  return (
    onFault ??
    ((fault) => {
      throw fault
    })
  )
}
