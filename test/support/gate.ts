/** Holds work at a point until a test lets it go on. */
export class Gate {
  readonly #reached = Promise.withResolvers<void>()
  readonly #opened = Promise.withResolvers<void>()

  /** Settles when something has come to the gate. */
  get reached(): Promise<void> {
    return this.#reached.promise
  }

  /** Called by the work. Settles when the gate is open. */
  pass(): Promise<void> {
    this.#reached.resolve()
    return this.#opened.promise
  }

  open(): void {
    this.#opened.resolve()
  }
}
