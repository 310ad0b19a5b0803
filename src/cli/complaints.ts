import { Flags } from '@oclif/core'
import { errnoText, FluxError, grouped } from '../errors/index.ts'
import { TreeError } from '../kvs/index.ts'

/** How many messages of one kind are printed in full. */
const TOLD = 10

/** The flag of commands that may print many messages. */
export const complaintFlags = {
  verbose: Flags.boolean({
    char: 'v',
    summary: `print every warning and fault, not only the first ${TOLD} of each kind`,
    helpGroup: 'GLOBAL',
  }),
}

/**
 * Prints messages about warnings and faults: the first {@link TOLD} of each kind in full, the others as a count at the
 * end. A damaged store may have one for each key, which would hide the results.
 */
export class Complaints {
  readonly #tell: (line: string) => void
  readonly #counts = new Map<string, number>()
  /** Print all messages (`--verbose`). */
  tellsAll = false

  /** @param tell - called with each line */
  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  /**
   * Print a message, or count it.
   *
   * @param kind - one or two words, by which messages are counted
   */
  add(message: string, kind: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    if (this.tellsAll || count <= TOLD) this.#tell(message)
  }

  /** Print how many messages of each kind were only counted. */
  end(): void {
    for (const [kind, count] of this.#counts) {
      const more = this.tellsAll ? 0 : count - TOLD
      if (more > 0) this.#tell(`and ${grouped(more)} more like this (${kind}); -v shows all`)
    }
    this.#counts.clear()
  }
}

/** The kind of an error that is printed and not thrown. */
export function kindOf(error: Error): string {
  if (error instanceof TreeError) return error.faultKind
  return error instanceof FluxError ? errnoText(error.code) : error.name
}
