/** Encoders hand on chunks of this size: so large that the cost of system calls and promises does not matter. */
export const CHUNK_BYTES = 1 << 20

/**
 * A growing run of bytes, cut into chunks of about 1 MiB. An encoder writes at the end. The consumer takes the full
 * chunks and gives each back with {@link recycle} after it has been written.
 */
export class ChunkWriter {
  #chunk: Uint8Array
  #used = 0
  #full: Uint8Array[] = []
  #spare: Uint8Array[] = []
  #flushedBytes = 0
  readonly #chunkBytes: number

  constructor(chunkBytes = CHUNK_BYTES) {
    this.#chunkBytes = chunkBytes
    this.#chunk = newChunk(chunkBytes)
  }

  /** Number of bytes written so far, taken or not. */
  get bytes(): number {
    return this.#flushedBytes + this.#used
  }

  /** Number of bytes in full chunks that have not been taken. */
  get ready(): number {
    return this.#full.length * this.#chunkBytes
  }

  /** Copy `part` to the end. */
  write(part: Uint8Array): void {
    const { length } = part
    if (length <= this.#chunkBytes - this.#used) {
      this.#chunk.set(part, this.#used)
      this.#used += length
      if (this.#used === this.#chunkBytes) this.#turn()
      return
    }
    let from = 0
    while (from < length) {
      const n = Math.min(length - from, this.#chunkBytes - this.#used)
      this.#chunk.set(part.subarray(from, from + n), this.#used)
      this.#used += n
      from += n
      if (this.#used === this.#chunkBytes) this.#turn()
    }
  }

  /** Write `count` zero bytes. */
  zeros(count: number): void {
    let left = count
    while (left > 0) {
      const n = Math.min(left, this.#chunkBytes - this.#used)
      this.#chunk.fill(0, this.#used, this.#used + n)
      this.#used += n
      left -= n
      if (this.#used === this.#chunkBytes) this.#turn()
    }
  }

  /** Take the full chunks, in order. The caller owns them. With `all`, also the last one, which may be shorter. */
  take(all = false): Uint8Array[] {
    if (all && this.#used > 0) this.#turn()
    const chunks = this.#full
    this.#full = []
    return chunks
  }

  /** Give back a taken chunk, to be overwritten. The caller must not use it any more. */
  recycle(chunk: Uint8Array): void {
    if (this.#spare.length < 4 && chunk.buffer.byteLength === this.#chunkBytes) {
      this.#spare.push(new Uint8Array(chunk.buffer))
    }
  }

  #turn(): void {
    this.#full.push(this.#used === this.#chunkBytes ? this.#chunk : this.#chunk.subarray(0, this.#used))
    this.#flushedBytes += this.#used
    this.#chunk = this.#spare.pop() ?? newChunk(this.#chunkBytes)
    this.#used = 0
  }
}

/** Not a Buffer, whose `fill` is slower. */
function newChunk(bytes: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
}
