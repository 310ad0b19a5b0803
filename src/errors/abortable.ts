import { InterruptedError } from './flux-error.ts'

/**
 * Wait for something, but no longer than until a signal is aborted.
 *
 * @param promise - what becomes of it after that is of no interest
 * @throws {InterruptedError} the signal was aborted
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new InterruptedError(undefined, { cause: signal.reason }))
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
