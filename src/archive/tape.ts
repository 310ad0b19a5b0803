import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { openNameless, temporaryError } from '../files/index.ts'
import { Input } from './input.ts'

/** Bytes that are copied at a time. */
const PIECE_BYTES = 256 << 10

/**
 * Keeps a part of an input in a temporary file, so that reading can go back to any place of it. The file has no name, and
 * ends with the process.
 *
 * It is used again and again: where a part begins in the one that is kept, only what is behind that is read. So however many
 * places are looked at, each byte of the input is written once.
 */
export class Tape implements AsyncDisposable {
  readonly #origin: Input
  readonly #name: string
  #handle: FileHandle | undefined
  /** The offset in the input of what is kept, and of its end. */
  #start = 0
  #end = 0
  #isComplete = false

  /**
   * @param origin - read from now on by way of {@link cover} and {@link from} only
   * @param name - of the archive, for messages
   */
  constructor(origin: Input, name: string) {
    this.#origin = origin
    this.#name = name
  }

  /** The offset of the end of what is kept. */
  get end(): number {
    return this.#end
  }

  /**
   * Keep what is between the place of an input and an offset, as far as there is that much.
   *
   * @param input - the origin, or what {@link from} has returned
   * @returns an input at the same place. The given one is of no use if it is another
   * @throws {FluxError} naming the directory, e.g. `ENOSPC`
   */
  async cover(input: Input, end: number): Promise<Input> {
    const from = input.offset
    if (from < this.#start || from >= this.#end) {
      this.#start = from
      this.#end = from
      await this.#handle?.truncate()
    }
    if (this.#end >= end || this.#isComplete) return input
    // What is kept already is read again to get behind it: that pays when as much is added.
    const target = Math.max(end, this.#end + (this.#end - from))
    while (this.#end < target && !this.#isComplete) {
      const at = input.offset
      const some = await input.takeSome(PIECE_BYTES)
      if (some === undefined) this.#isComplete = true
      else await this.#append(some, at)
    }
    while (input.ready(1)) {
      const at = input.offset
      await this.#append(await input.take(input.available), at)
    }
    return this.from(from)
  }

  /** An input that goes on from an offset in what is kept. */
  from(offset: number): Input {
    return new Input(this.#chunks(offset, this.#end), offset)
  }

  /** What is kept from an offset on. @returns fewer bytes than `length` only at its end */
  readAt(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#end - offset)))
    let done = 0
    while (done < bytes.length) {
      const read = readSync(
        (this.#handle as FileHandle).fd,
        bytes,
        done,
        bytes.length - done,
        offset + done - this.#start,
      )
      if (read === 0) break
      done += read
    }
    return bytes.subarray(0, done)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close()
  }

  async *#chunks(from: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = from; at < end; at += PIECE_BYTES) yield this.readAt(at, Math.min(PIECE_BYTES, end - at))
    for (let some: Buffer | undefined; (some = await this.#origin.takeSome(Number.POSITIVE_INFINITY)); ) yield some
  }

  /** Add the part of a chunk that is not kept yet. @param at - the offset of the chunk in the input */
  async #append(chunk: Buffer, at: number): Promise<void> {
    try {
      this.#handle ??= await openNameless(tmpdir())
      for (let from = Math.max(0, this.#end - at); from < chunk.length; ) {
        const { bytesWritten } = await this.#handle.write(chunk, from, chunk.length - from, this.#end - this.#start)
        from += bytesWritten
        this.#end += bytesWritten
      }
    } catch (error) {
      throw temporaryError(error, `cannot copy ${this.#name} to a temporary file in`, tmpdir())
    }
  }
}
