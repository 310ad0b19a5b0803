/** What could not be read while a report was made. */
import { FluxError } from '../errors/index.ts'
import { TreeError } from '../kvs/index.ts'
import type { Names } from './names.ts'

/** Warnings that a report lists. The others are only counted. */
const LISTED = 100

/** Faults that are remembered, so that each is told once, although several parts of a report read the same keys. */
const REMEMBERED = 10_000

/** An error with one of these ends the report: it was interrupted, or the store has changed. */
const ENDS: readonly string[] = ['EINTR', 'ETIMEDOUT', 'EBUSY']

export class Faults {
  readonly warnings: string[] = []
  count = 0
  /** Messages of faults that have been told, without the part of the report. */
  readonly #told = new Set<string>()
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

  /** Note a fault, if it is a new one. */
  readonly onFault = (error: Error): void => {
    if (this.#isNew(error)) this.add(error.message, kindOf(error))
  }

  /**
   * Do a part of the report. If it fails, note why, unless that is known, and go on.
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
      if (this.#isNew(error)) this.add(`${what}: ${error.message}`, `${what}: ${kindOf(error)}`)
      return without
    }
  }

  #isNew({ message }: Error): boolean {
    if (this.#told.has(message)) return false
    if (this.#told.size < REMEMBERED) this.#told.add(message)
    return true
  }
}

function kindOf(error: Error): string {
  if (error instanceof TreeError) return error.faultKind
  return error instanceof FluxError ? error.code : error.name
}
