/** gzip (RFC 1952) in one member, deflated by several threads: see deflate-blocks.ts. */
import { DeflateBlocks } from '../../deflate-blocks.ts'
import type { Sink } from '../../sink.ts'
import type { Filter, FilterOptions } from '../filter.ts'
import { MAGIC, METHOD_DEFLATE, OS_UNIX, TRAILER_BYTES } from './layout.ts'

/** No flags, no name and no time. */
const HEADER = Buffer.from([...Buffer.from(MAGIC, 'latin1'), METHOD_DEFLATE, 0, 0, 0, 0, 0, 0, OS_UNIX])

export function openFilter(sink: Sink, options: FilterOptions): Filter {
  return new GzipFilter(sink, options)
}

export class GzipFilter implements Filter {
  readonly #sink: Sink
  readonly #blocks: DeflateBlocks
  #begun = false

  /** @param options.level - 1 (fast) to 9 (small) */
  constructor(sink: Sink, options: FilterOptions) {
    this.#sink = sink
    this.#blocks = new DeflateBlocks(options, async (block) => {
      await sink.write(this.#begun ? [block] : [HEADER, block])
      this.#begun = true
    })
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) await this.#blocks.write(chunk)
  }

  async finish(): Promise<void> {
    await this.#blocks.finish()
    const trailer = Buffer.alloc(TRAILER_BYTES)
    trailer.writeUInt32LE(this.#blocks.crc, 0)
    trailer.writeUInt32LE(this.#blocks.bytes % 0x1_0000_0000, 4)
    await this.#sink.write([trailer])
  }
}
