/** What is fuzzed: something that takes bytes from outside, and may answer only with a result or with an error of its own. */

import { isDeepStrictEqual } from 'node:util'

/** Allows a target to look at its input in more than one way, as the bytes say. */
export interface Target {
  readonly name: string
  /** Bytes of buffers that one input may ask for, in all. More is a find. */
  readonly budgetBytes: number
  /** The longest input that is tried (default 4096 bytes). */
  readonly maxBytes?: number
  /** How many inputs of all those in `npm test` it gets, against the 1 of others: less where they take long. */
  readonly share?: number
  /**
   * How many inputs run at once (default 1), where they wait for threads. When any of them fails, they run again one by
   * one. Of those that do not end, one is named.
   */
  readonly together?: number
  /** Pieces of the format, which mutations insert. */
  readonly tokens: readonly (string | Buffer)[]
  /** Valid inputs, made from the fixtures. */
  seeds(): Buffer[] | Promise<Buffer[]>
  /** Make checksums fit again, in place, so that a mutation gets past them. */
  fix?(input: Buffer): void
  /**
   * Take one input. What is thrown must be an error that {@link isExpected} allows.
   *
   * @throws {Disagreement} two ways to read the input differ
   */
  run(input: Buffer): void | Promise<void>
  /** True for an error that the target may throw. */
  isExpected(error: unknown): boolean
}

/** Two decoders of one format made different things of an input, or a text did not come back as it was. */
export class Disagreement extends Error {}

/** @throws {Disagreement} they differ */
export function assertSame(a: unknown, b: unknown, what: string): void {
  // Most are the same, and texts of them would take longer than all the rest.
  if (isDeepStrictEqual(a, b)) return
  const [left, right] = [shown(a), shown(b)]
  if (left !== right) throw new Disagreement(`${what}: ${left.slice(0, 300)} and ${right.slice(0, 300)}`)
}

function shown(value: unknown): string {
  return typeof value === 'string'
    ? value
    : (JSON.stringify(value, (_name, each) => (typeof each === 'bigint' ? `${each}n` : each)) ?? 'undefined')
}
