import type { Input } from '../input.ts'
import { BATCH_BYTES, BATCH_MEMBERS, type Member, type Reading } from '../member.ts'

/**
 * The members of one archive, in batches. What the caller does not read of a stream is skipped before the next batch.
 */
export type Batches = AsyncGenerator<Member[], void, undefined>

/** Collects members until they make a batch. */
export class Batch {
  members: Member[] = []
  #bytes = 0

  add(member: Member): void {
    this.members.push(member)
    this.#bytes += (member.data?.length ?? 0) + member.path.length + member.linkname.length
    for (const keyword in member.extra) this.#bytes += keyword.length + (member.extra[keyword] as string).length
  }

  get full(): boolean {
    return this.members.length >= BATCH_MEMBERS || this.#bytes >= BATCH_BYTES
  }

  take(): Member[] {
    const { members } = this
    this.members = []
    this.#bytes = 0
    return members
  }
}

/** Streams the content of one large file from the input that all members share. */
export class Body {
  readonly #input: Input
  readonly #reading: Reading
  readonly #path: string
  readonly #onChunk: ((chunk: Uint8Array) => void) | undefined
  #left: number

  /** @param onChunk - called with all content, also with what the caller does not read */
  constructor(input: Input, reading: Reading, path: string, size: number, onChunk?: (chunk: Uint8Array) => void) {
    this.#input = input
    this.#reading = reading
    this.#path = path
    this.#left = size
    this.#onChunk = onChunk
  }

  /** @throws {ArchiveError} `EBADMSG` the input ends within the content */
  async *stream(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) {
      const chunk = await this.#input.takeSome(this.#left)
      if (chunk === undefined) {
        const at = { path: this.#path, offset: this.#input.offset }
        throw this.#reading.error('EBADMSG', `truncated: ${this.#left} bytes of the content are missing`, at)
      }
      this.#left -= chunk.length
      this.#onChunk?.(chunk)
      yield chunk
    }
  }

  /** Skip the content that has not been read. */
  async finish(): Promise<void> {
    for await (const _ of this.stream());
  }
}
