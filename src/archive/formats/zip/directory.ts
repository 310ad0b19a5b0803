/** Builds the directory at the end of a zip from notes on its members. */
import { inflateRawSync } from 'node:zlib'
import { ChunkWriter } from '../../../bytes/index.ts'
import { directoryEnd, HEADER_ROOM, type ZipHeaders } from './headers.ts'
import { notesOf } from './notes.ts'

export class ZipDirectory {
  readonly #headers: ZipHeaders
  /** The notes of each run, and the offset of its first member. */
  readonly #runs: { notes: Uint8Array; offset: number }[] = []

  constructor(headers: ZipHeaders) {
    this.#headers = headers
  }

  /** Add the members of a run. @param offset - offset of the run in the archive */
  add(notes: Uint8Array, offset: number): void {
    this.#runs.push({ notes, offset })
  }

  /** The directory, in chunks. @param start - its offset in the archive */
  *chunks(start: number): Generator<Uint8Array> {
    const out = new ChunkWriter()
    let entry = Buffer.alloc(0)
    let entries = 0
    for (const { notes, offset } of this.#runs) {
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
    out.write(directoryEnd(entries, start, out.bytes))
    yield* out.take(true)
  }
}
