/** What could not be read while a report was made. */
import { FluxError } from '../errors/index.ts'
import { TreeError } from '../kvs/index.ts'
import type { Names } from './names.ts'

/** Warnings that a report lists. The others are only counted. */
const LISTED = 100

/** An error with one of these ends the report: it was interrupted, or the store has changed. */
const ENDS: readonly string[] = ['EINTR', 'ETIMEDOUT', 'EBUSY']

export class Faults {
  readonly warnings: string[] = []
  count = 0
  readonly #names: Names
  readonly #onWarning: ((message: string, kind: string) => void) | undefined

  constructor(names: Names, onWarning?: ((message: string, kind: string) => void) | undefined) {
    this.#names = names
    this.#onWarning = onWarning
  }

  /** Note what could not be read. @param kind - one or two words, which name nothing */
  add(message: string, kind: string): void {
    this.count++
    if (this.warnings.length < LISTED) this.warnings.push(this.#names.message(message, kind))
    this.#onWarning?.(message, kind)
  }

  readonly onFault = (error: Error): void => this.add(error.message, kindOf(error))

  /**
   * Do a part of the report. If it fails, note why, and go on.
   *
   * @param what - the part, for the message
   * @returns `without`, when it fails
   * @throws {FluxError} the signal was aborted; `EBUSY` the store was changed while it was read
   */
  async attempt<T>(what: string, work: () => Promise<T>, without: T): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof FluxError) || ENDS.includes(error.code)) throw error
      this.add(`${what}: ${error.message}`, `${what}: ${kindOf(error)}`)
      return without
    }
  }
}

function kindOf(error: Error): string {
  if (error instanceof TreeError) return error.faultKind
  return error instanceof FluxError ? error.code : error.name
}
