/** A short queue between one producer and one consumer. A failure of either one stops the other. */
export class BatchQueue<T> {
  readonly #limit: number
  readonly #batches: T[] = []
  #ended = false
  #closed = false
  #failure: { error: unknown } | undefined
  #wakeProducer: (() => void) | undefined
  #wakeConsumer: (() => void) | undefined

  /** @param limit - how many batches may wait */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Add a batch. Settles when there is room for another. @returns false when the consumer has closed the queue */
  async push(batch: T): Promise<boolean> {
    this.#batches.push(batch)
    this.#wakeConsumer?.()
    while (this.#batches.length >= this.#limit && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wakeProducer = resolve
      })
    }
    return !this.#closed
  }

  /** Called by the producer after its last batch. */
  end(): void {
    this.#ended = true
    this.#wakeConsumer?.()
  }

  /** Called by the producer when it fails. The consumer's next {@link pull} throws the error. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wakeConsumer?.()
  }

  /** Called by the consumer when it takes no more batches. */
  close(): void {
    this.#closed = true
    this.#wakeProducer?.()
  }

  /** The next batch, or undefined at the end. @throws the producer's error, even if batches are left */
  async pull(): Promise<T | undefined> {
    while (true) {
      if (this.#failure) throw this.#failure.error
      const batch = this.#batches.shift()
      if (batch !== undefined) {
        this.#wakeProducer?.()
        return batch
      }
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wakeConsumer = resolve
      })
    }
  }
}
