import { FluxError, InterruptedError } from './flux-error.ts'

/**
 * The error for work that ended because its signal was aborted. The reason of the signal decides which error it is.
 *
 * If the reason is a {@link FluxError}, it is returned unchanged. The reason of `AbortSignal.timeout` gives
 * `ETIMEDOUT`. Any other reason gives an {@link InterruptedError}, `EINTR`. Both have the reason as their cause.
 *
 * @param what - the work that ended, for the message: `kvs.getroot`
 */
export function abortError({ reason }: AbortSignal, what?: string): FluxError {
  if (reason instanceof FluxError) return reason
  const prefix = what === undefined ? '' : `${what}: `
  if ((reason as Error | undefined)?.name === 'TimeoutError') {
    return new FluxError('ETIMEDOUT', `${prefix}not done in time`, { cause: reason })
  }
  return new InterruptedError(`${prefix}interrupted`, { cause: reason })
}

/** Throw if the signal is aborted. @throws {FluxError} the error of {@link abortError} */
export function throwIfAborted(signal: AbortSignal | undefined, what?: string): void {
  if (signal?.aborted) throw abortError(signal, what)
}
