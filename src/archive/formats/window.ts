/**
 * Random reads of a file through a window, so that consecutive members cost one read for each megabyte, not one for
 * each member.
 */
import type { Source } from '../source.ts'

const WINDOW_BYTES = 1 << 20
/** Bytes read after a jump, so that members in random order do not cost a megabyte each. */
const JUMP_BYTES = 64 << 10

export class Window {
  readonly size: number
  readonly #source: Source
  #bytes: Buffer = Buffer.alloc(0)
  #offset = 0

  constructor(source: Source) {
    this.#source = source
    this.size = source.size as number
  }

  /** The bytes from `offset` on; fewer only at the end of the file. A view. Later reads do not change it. */
  async at(offset: number, length: number): Promise<Buffer> {
    return this.ready(offset, length) ?? this.#read(offset, length)
  }

  /** Like {@link at}, but undefined when the bytes are not in the window. */
  ready(offset: number, length: number): Buffer | undefined {
    const from = offset - this.#offset
    if (from < 0 || from + length > this.#bytes.length) return undefined
    return this.#bytes.subarray(from, from + length)
  }

  /** A range of the file, chunk by chunk. */
  async *stretch(offset: number, length: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < length; ) {
      const chunk = await this.#source.readAt(offset + at, Math.min(WINDOW_BYTES, length - at))
      if (chunk.length === 0) return
      yield chunk
      at += chunk.length
    }
  }

  async #read(offset: number, length: number): Promise<Buffer> {
    const ahead = offset - this.#offset
    const near = ahead >= 0 && ahead <= this.#bytes.length + JUMP_BYTES
    const wanted = Math.min(Math.max(length, near ? WINDOW_BYTES : JUMP_BYTES), Math.max(0, this.size - offset))
    this.#bytes = await this.#source.readAt(offset, wanted)
    this.#offset = offset
    return this.#bytes.subarray(0, length)
  }
}
