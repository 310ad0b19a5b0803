/**
 * A cursor over chunks that arrive one after another. A parser calls {@link Input.ready} first, which never waits, and
 * {@link Input.fill} only when that returns false, so there is a promise only at the end of a chunk. Only bytes that
 * span two chunks are copied.
 */

const EMPTY = Buffer.alloc(0)

export class Input {
  /** The current chunk, or a copy of bytes that span chunks. */
  buffer: Buffer = EMPTY
  /** Index of the next byte in {@link buffer}. */
  position = 0
  readonly #chunks: AsyncIterator<Uint8Array>
  #pending: Buffer | undefined
  /** What {@link buffer} is the beginning of, if it is a copy: there is room behind it for what comes next. */
  #room: Buffer = EMPTY
  #bufferOffset = 0
  #ended = false

  /** @param offset - of the first byte */
  constructor(chunks: AsyncIterable<Uint8Array>, offset = 0) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#bufferOffset = offset
  }

  /** Offset of the next byte in the whole input. */
  get offset(): number {
    return this.#bufferOffset + this.position
  }

  /** Bytes in {@link buffer} from {@link position} on. */
  get available(): number {
    return this.buffer.length - this.position
  }

  /** True when the next `n` bytes are in {@link buffer}. */
  ready(n: number): boolean {
    if (this.buffer.length - this.position >= n) return true
    if (this.position < this.buffer.length || this.#pending === undefined) return false
    this.#advance(this.#pending)
    this.#pending = undefined
    return this.buffer.length >= n
  }

  /** Load the next `n` bytes into {@link buffer}. @returns false when the input has fewer; those it has are loaded */
  async fill(n: number): Promise<boolean> {
    if (this.ready(n)) return true
    // What is left is loaded. Whoever looks for many things that are not there must not pay for a copy each time.
    if (this.#ended && this.#pending === undefined) return false
    if (this.available === 0) {
      const chunk = await this.#next()
      if (chunk === undefined) return n === 0
      this.#advance(chunk)
      if (chunk.length >= n) return true
    }
    if (this.position + n > this.#room.length) {
      // Room for twice as much: whoever goes on by a few bytes, and fills again, must not pay for a copy each time.
      const room = Buffer.allocUnsafe(2 * n)
      const length = this.buffer.copy(room, 0, this.position)
      this.#bufferOffset += this.position
      this.position = 0
      this.#room = room
      this.buffer = room.subarray(0, length)
    }
    const end = this.position + n
    let { length } = this.buffer
    while (length < end) {
      const chunk = await this.#next()
      if (chunk === undefined) break
      const copied = chunk.copy(this.#room, length, 0, end - length)
      length += copied
      if (copied < chunk.length) this.#pending = chunk.subarray(copied)
    }
    this.buffer = this.#room.subarray(0, length)
    return length === end
  }

  /** Take the next `n` bytes; fewer only at the end of the input. The caller must have checked `n` against a limit. */
  async take(n: number): Promise<Buffer> {
    if (!this.ready(n)) await this.fill(n)
    const taken = this.buffer.subarray(this.position, this.position + n)
    this.position += taken.length
    return taken
  }

  /** Take some of the next bytes, up to `max`. @returns undefined at the end */
  async takeSome(max: number): Promise<Buffer | undefined> {
    if (!(await this.fill(1))) return undefined
    return this.take(Math.min(max, this.available))
  }

  /** Skip `n` bytes. @returns how many were skipped; fewer only at the end */
  async skip(n: number): Promise<number> {
    let left = n
    while (left > 0) {
      const skipped = await this.takeSome(left)
      if (skipped === undefined) break
      left -= skipped.length
    }
    return n - left
  }

  /**
   * Read to the end, so that the process that writes a pipe can finish, and a filter checks the checksum at its end.
   */
  async drain(): Promise<void> {
    await this.skip(Number.POSITIVE_INFINITY)
  }

  /** The rest of the input, chunk by chunk. The input is closed afterwards. */
  async *rest(): AsyncGenerator<Buffer> {
    try {
      for (let some: Buffer | undefined; (some = await this.takeSome(Number.POSITIVE_INFINITY)); ) yield some
    } finally {
      await this.close()
    }
  }

  /** Stop reading the input. */
  async close(): Promise<void> {
    this.#ended = true
    await this.#chunks.return?.()
  }

  #advance(chunk: Buffer): void {
    this.#bufferOffset += this.buffer.length
    this.buffer = chunk
    this.position = 0
    this.#room = EMPTY
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#pending !== undefined) {
      const pending = this.#pending
      this.#pending = undefined
      return pending
    }
    while (!this.#ended) {
      const { done, value } = await this.#chunks.next()
      if (done) this.#ended = true
      else if (value.length > 0) return Buffer.from(value.buffer, value.byteOffset, value.length)
    }
    return undefined
  }
}
