import { printable } from '../errors/index.ts'

/** Characters that are written at a time: a system call a line would be most of the time that a long list takes. */
const WRITE_CHARACTERS = 1 << 16

interface LineStream {
  write(text: string): unknown
}

/**
 * Writes lines to standard error, many at a time, for those who cannot wait; results go by {@link Output}, who waits.
 * Each stays one line: they may hold names from a store, which must neither move a terminal's cursor nor put lines into a log.
 */
export class LineWriter {
  readonly #stream: LineStream
  readonly #prefix: string
  #text = ''

  /** @param prefix - what each line begins with */
  constructor(stream: LineStream, prefix = '') {
    this.#stream = stream
    this.#prefix = prefix
  }

  write(...lines: readonly string[]): void {
    for (const line of lines) this.#text += `${this.#prefix}${printable(line)}\n`
    if (this.#text.length >= WRITE_CHARACTERS) this.flush()
  }

  /** Call it at the end. */
  flush(): void {
    if (this.#text === '') return
    this.#stream.write(this.#text)
    this.#text = ''
  }
}
