export { abortError, throwIfAborted } from './aborted.ts'
export { type ErrnoName, errnoName, errnoNumber, errnoText, isErrnoName } from './errno.ts'
export { FluxError, type FluxErrorOptions, InterruptedError } from './flux-error.ts'
export { grouped, printable } from './printable.ts'
