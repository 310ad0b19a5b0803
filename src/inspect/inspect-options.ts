import type { TreeError } from '../kvs/index.ts'

/**
 * The options that all inspections share. An inspection of one root is called as `inspect(snapshot, options)`, where
 * the snapshot holds its store. An inspection of a whole store is called as `inspect(store, options)`.
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

/** Returns the function that an inspection calls with each fault: `onFault`, or else one that throws the fault. */
export function faultReporter<Fault extends object>({ onFault }: InspectOptions<Fault>): (fault: Fault) => void {
  return (
    onFault ??
    ((fault) => {
      throw fault
    })
  )
}
