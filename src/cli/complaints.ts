import { Flags } from '@oclif/core'
import { errnoText, FluxError, grouped } from '../errors/index.ts'
import { TreeError } from '../kvs/index.ts'

/** Complaints of one kind that are told in full. */
const TOLD = 10

/** The flag of commands that may have much to complain of. */
export const complaintFlags = {
  verbose: Flags.boolean({
    char: 'v',
    summary: `tell of everything that is wrong, not of the first ${TOLD} of each kind alone`,
    helpGroup: 'GLOBAL',
  }),
}

/**
 * What is wrong on the way, told as it is found: the first {@link TOLD} of each kind one by one, the others as a count at
 * the end. A damaged store may have as many as keys, and nobody would see the results among them.
 */
export class Complaints {
  readonly #tell: (line: string) => void
  readonly #counts = new Map<string, number>()
  /** Tell all of them (`--verbose`). */
  tellsAll = false

  /** @param tell - is given each line */
  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  /**
   * Complain.
   *
   * @param kind - what complaints of its kind have in common, in a word or two
   */
  add(message: string, kind: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    if (this.tellsAll || count <= TOLD) this.#tell(message)
  }

  /** Tell how many there were of each kind, beyond those that were told. */
  end(): void {
    for (const [kind, count] of this.#counts) {
      const more = this.tellsAll ? 0 : count - TOLD
      if (more > 0) this.#tell(`and ${grouped(more)} more like this (${kind}); -v shows all`)
    }
    this.#counts.clear()
  }
}

/** The kind of an error that is told and not thrown. */
export function kindOf(error: Error): string {
  if (error instanceof TreeError) return error.faultKind
  return error instanceof FluxError ? errnoText(error.code) : error.name
}
