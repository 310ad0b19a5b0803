import { abortError } from './aborted.ts'

/**
 * Wait for a promise, or until a signal is aborted.
 *
 * @param promise - after an abort, its outcome is ignored
 * @throws {FluxError} the signal was aborted: `EINTR`, `ETIMEDOUT`, or its reason
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError(signal))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    // Also when the signal is aborted already: a promise that rejects later must have somebody to catch it.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
