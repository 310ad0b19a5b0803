/**
 * The messages that no test produces, each with the reason. `messages.test.ts` holds this list: a message that is
 * on it may be expected by no test, and one that is not must be.
 */
export interface UntestedMessage {
  /** Its file, below the root of the project. */
  readonly file: string
  /** What is constant in it, `*` where a value stands. */
  readonly text: string
  /** Why no test produces it. */
  readonly reason: string
}

export const UNTESTED: readonly UntestedMessage[] = []
