import type { ChunkWriter } from '../bytes/index.ts'
import type { ArchiveWriter } from './archive-writer.ts'
import type { Filter } from './filters/filter.ts'
import type { ExtraRecords, FormatEncoder } from './format-encoder.ts'
import type { ArchiveType } from './kinds.ts'
import { PathCheck } from './member-path.ts'
import type { Sink } from './sink.ts'

/** Writes formats whose bytes can be passed on as they are encoded. */
export class StreamWriter implements ArchiveWriter {
  readonly type: ArchiveType
  readonly #out: ChunkWriter
  readonly #encoder: FormatEncoder
  readonly #filter: Filter | undefined
  readonly #sink: Sink
  readonly #paths: PathCheck
  /** The last write to the sink. The next chunks are encoded while it goes on. */
  #writing: Promise<void> = Promise.resolve()
  #done = false

  /** @param filter - writes compressed bytes to the same sink */
  constructor(type: ArchiveType, sink: Sink, out: ChunkWriter, encoder: FormatEncoder, filter: Filter | undefined) {
    this.type = type
    this.#sink = sink
    this.#out = out
    this.#encoder = encoder
    this.#filter = filter
    this.#paths = new PathCheck(type.format)
  }

  get holdsRecords(): boolean {
    return this.#encoder.holdsRecords ?? false
  }

  get bytes(): number {
    return this.#out.bytes
  }

  file(path: string, size: number, parts: readonly Uint8Array[], extra?: ExtraRecords): void {
    this.#paths.check(path)
    this.#encoder.file(path, size, parts, extra)
  }

  async streamFile(
    path: string,
    size: number,
    stream: AsyncIterable<readonly Uint8Array[]>,
    extra?: ExtraRecords,
  ): Promise<void> {
    this.#paths.check(path)
    this.#encoder.beginFile(path, size, extra)
    for await (const parts of stream) {
      for (const part of parts) {
        this.#encoder.data(part)
        await this.flush()
      }
    }
    this.#encoder.endFile()
  }

  symlink(path: string, target: string, extra?: ExtraRecords): void {
    this.#paths.check(path)
    this.#encoder.symlink(path, target, extra)
  }

  async flush(): Promise<void> {
    if (this.#out.ready > 0) await this.#forward(false)
  }

  async finish(records?: ExtraRecords): Promise<void> {
    this.#encoder.finish(records)
    if (!this.#filter) this.#sink.endsFor?.(this.#out.bytes - (this.#encoder.trailingBytes ?? 0))
    await this.#forward(true)
    await this.#writing
    await this.#filter?.finish()
    await this.#sink.commit()
    this.#done = true
  }

  async abort(): Promise<void> {
    if (this.#done) return
    this.#done = true
    await this.#filter?.abort?.()
    // Not under a write, whose descriptor another file might get.
    await this.#writing.catch(() => {})
    await this.#sink.abort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  async #forward(all: boolean): Promise<void> {
    const chunks = this.#out.take(all)
    if (this.#filter) {
      await this.#filter.write(chunks)
      return
    }
    await this.#writing
    this.#writing = this.#write(chunks)
    // The next call throws the error.
    this.#writing.catch(() => {})
  }

  async #write(chunks: readonly Uint8Array[]): Promise<void> {
    await this.#sink.write(chunks)
    for (const chunk of chunks) this.#out.recycle(chunk)
  }
}
