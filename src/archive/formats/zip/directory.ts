/** Builds the directory at the end of a zip from notes on its members, which lie in a spool until then. */
import { inflateRawSync } from 'node:zlib'
import { ChunkWriter } from '../../../bytes/index.ts'
import { Input } from '../../input.ts'
import type { Spool } from '../../spool.ts'
import { directoryEnd, HEADER_ROOM, type ZipHeaders } from './headers.ts'
import { notesOf } from './notes.ts'

/** In the spool, the notes of each run follow the offset of its first member, and their length. */
const OFFSET = 0
const LENGTH = 8
const HEAD_BYTES = 12

export class ZipDirectory {
  readonly #headers: ZipHeaders
  readonly #spool: Spool

  /** @param spool - must be empty; {@link close} closes it */
  constructor(headers: ZipHeaders, spool: Spool) {
    this.#headers = headers
    this.#spool = spool
  }

  /**
   * Add the members of a run. One call at a time.
   *
   * @param offset - offset of the run in the archive
   * @throws {FluxError} the spool cannot be written
   */
  async add(notes: Uint8Array, offset: number): Promise<void> {
    const framed = Buffer.allocUnsafeSlow(HEAD_BYTES + notes.length)
    framed.writeDoubleLE(offset, OFFSET)
    framed.writeUInt32LE(notes.length, LENGTH)
    framed.set(notes, HEAD_BYTES)
    await this.#spool.append([framed])
  }

  /**
   * The directory, in chunks. A chunk is valid until the next one is requested.
   *
   * @param start - its offset in the archive
   * @param comment - of the archive
   */
  async *chunks(start: number, comment: Uint8Array = new Uint8Array()): AsyncGenerator<Uint8Array> {
    const out = new ChunkWriter()
    const spooled = new Input(this.#spool.read())
    let entry = Buffer.alloc(0)
    let entries = 0
    while (await spooled.fill(HEAD_BYTES)) {
      const head = await spooled.take(HEAD_BYTES)
      const offset = head.readDoubleLE(OFFSET)
      const notes = await spooled.take(head.readUInt32LE(LENGTH))
      for (const member of notesOf(inflateRawSync(notes))) {
        const most = HEADER_ROOM + member.name.length + member.records.length
        if (entry.length < most) entry = Buffer.allocUnsafe(most)
        out.write(entry.subarray(0, this.#headers.central(entry, 0, member, offset + member.offset)))
        entries++
      }
      for (const chunk of out.take()) {
        yield chunk
        out.recycle(chunk)
      }
    }
    out.write(directoryEnd(entries, start, out.bytes, comment.length))
    out.write(comment)
    yield* out.take(true)
  }

  /** Drop it. May be called at any time, also several times. Never throws. */
  async close(): Promise<void> {
    await this.#spool.close()
  }
}
