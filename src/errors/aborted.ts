import { FluxError, InterruptedError } from './flux-error.ts'

/**
 * The error for work that was given up because its signal was aborted: the reason of the signal decides.
 *
 * A {@link FluxError} as reason is the error itself. That of `AbortSignal.timeout` gives `ETIMEDOUT`, and any other an
 * {@link InterruptedError}, `EINTR`, both with the reason as their cause.
 *
 * @param what - was under way, for the message: `kvs.getroot`
 */
export function abortError({ reason }: AbortSignal, what?: string): FluxError {
  if (reason instanceof FluxError) return reason
  const prefix = what === undefined ? '' : `${what}: `
  if ((reason as Error | undefined)?.name === 'TimeoutError') {
    return new FluxError('ETIMEDOUT', `${prefix}not done in time`, { cause: reason })
  }
  return new InterruptedError(`${prefix}interrupted`, { cause: reason })
}

/** Go on only while nobody has called it off. @throws {FluxError} as {@link abortError} has it */
export function throwIfAborted(signal: AbortSignal | undefined, what?: string): void {
  if (signal?.aborted) throw abortError(signal, what)
}
