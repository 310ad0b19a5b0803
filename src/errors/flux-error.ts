import { type ErrnoName, errnoNumber, errnoText, isErrnoName } from './errno.ts'

/** What to do about `EMFILE`, which can come from anything that opens a file. */
export const MORE_FILES = 'raise the limit on open files (ulimit -n)'

/** What to do about `ENOMEM`, which can come from anything that needs a large piece of memory. */
export const MORE_MEMORY = 'raise the limit on memory (ulimit -v), or end other programs'

/** True when an error says that a piece of memory could not be had. Node.js has no errno for it. */
export function isOutOfMemory(error: unknown): boolean {
  const { code = '', message = '' } = (error ?? {}) as NodeJS.ErrnoException
  return /^(ENOMEM|ERR_MEMORY_ALLOCATION_FAILED)$/.test(code) || /^Array buffer allocation failed/.test(message)
}

/** What an error can have besides its message. */
export interface FluxErrorOptions extends ErrorOptions {
  /** What the reader can do about the error: half a sentence, shown after the message. */
  hint?: string | undefined
}

/**
 * The base of every error that this package throws on purpose.
 *
 * The message is one line for the reader: what failed, and on what. Compare `code`, never the text.
 */
export class FluxError extends Error {
  /** The errno name, e.g. `ENOENT`. */
  readonly code: ErrnoName
  /** What the reader can do about the error, if that is known. */
  readonly hint: string | undefined

  constructor(code: ErrnoName, message: string, options: FluxErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.hint = options.hint
  }

  /** The errno number, positive as on the wire (RFC 3). */
  get errnum(): number {
    return errnoNumber(this.code)
  }

  /**
   * Wrap an error of the operating system, as Node throws it. An errno that the table lacks becomes `EIO`.
   *
   * @param what - what failed, on what: `cannot open /a/b`
   * @returns `error` itself when it is a {@link FluxError} already
   */
  static fromSystem(error: unknown, what: string, options: FluxErrorOptions = {}): FluxError {
    return fromSystem(error, what, options)
  }
}

/** Outside the class: a bundler renames a class that refers to itself, and its name is that of the error. */
function fromSystem(error: unknown, what: string, options: FluxErrorOptions): FluxError {
  if (error instanceof FluxError) return error
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (isOutOfMemory(error)) {
    return new FluxError('ENOMEM', `${what}: ${errnoText('ENOMEM')}`, { hint: MORE_MEMORY, cause: error })
  }
  // The heap of a thread. When that of the main thread is full, V8 ends the process.
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const hint = 'NODE_OPTIONS=--max-old-space-size=MIB gives it more'
    return new FluxError('ENOMEM', `${what}: its heap is full`, { hint, cause: error })
  }
  const known = isErrnoName(code)
  const text = known ? errnoText(code) : error instanceof Error ? error.message : String(error)
  const hint = options.hint ?? (code === 'EMFILE' ? MORE_FILES : undefined)
  return new FluxError(known ? code : 'EIO', `${what}: ${text}`, { ...options, hint, cause: error })
}

/** The error for work that was interrupted, by a signal or by the caller. */
export class InterruptedError extends FluxError {
  constructor(message = 'interrupted', options: FluxErrorOptions = {}) {
    super('EINTR', message, options)
  }
}
