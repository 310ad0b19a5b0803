/** A short queue between one producer and one consumer, in which a failure of either reaches the other. */
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

  /** Add a batch; settles when there is room for another. @returns false when the consumer wants no more */
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

  /** There are no more batches. */
  end(): void {
    this.#ended = true
    this.#wakeConsumer?.()
  }

  /** There are no more batches, because something went wrong; the consumer's next {@link pull} throws it. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wakeConsumer?.()
  }

  /** The consumer wants no more. */
  close(): void {
    this.#closed = true
    this.#wakeProducer?.()
  }

  /** The next batch, or undefined at the end. @throws what the producer failed with, at once */
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
