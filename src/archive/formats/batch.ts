import type { Input } from '../input.ts'
import { BATCH_BYTES, BATCH_MEMBERS, type Member, type Reading } from '../member.ts'

/** The members of one archive, some at a time. What is left of the streams of a batch is passed over. */
export type Batches = AsyncGenerator<Member[], void, undefined>

/** Members gathered until they make a batch. */
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

/** The content of one large file, in the input that all members come from. */
export class Body {
  readonly #input: Input
  readonly #reading: Reading
  readonly #path: string
  readonly #look: ((chunk: Uint8Array) => void) | undefined
  #left: number

  /** @param look - is shown all that passes, also what nobody reads */
  constructor(input: Input, reading: Reading, path: string, size: number, look?: (chunk: Uint8Array) => void) {
    this.#input = input
    this.#reading = reading
    this.#path = path
    this.#left = size
    this.#look = look
  }

  /** @throws {ArchiveError} `EBADMSG` when the input ends before */
  async *stream(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) {
      const chunk = await this.#input.takeSome(this.#left)
      if (chunk === undefined) {
        const at = { path: this.#path, offset: this.#input.offset }
        throw this.#reading.error('EBADMSG', `truncated: ${this.#left} bytes of the content are missing`, at)
      }
      this.#left -= chunk.length
      this.#look?.(chunk)
      yield chunk
    }
  }

  /** Pass over what has not been read. */
  async finish(): Promise<void> {
    for await (const _ of this.stream());
  }
}
