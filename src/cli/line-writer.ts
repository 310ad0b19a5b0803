import { messageLine } from '../errors/index.ts'

/** Characters that are written at a time. One system call for each line would take most of the time of a long list. */
const WRITE_CHARACTERS = 1 << 16

interface LineStream {
  write(text: string): unknown
}

/**
 * Writes lines to standard error, many at a time, without waiting. (For results use {@link Output}, which waits.)
 * Control characters are escaped, and long lines are cut: names from a store must not move a terminal's cursor, add lines
 * to a log, or fill it.
 */
export class LineWriter {
  readonly #stream: LineStream
  readonly #prefix: string
  #text = ''

  /** @param prefix - printed before each line */
  constructor(stream: LineStream, prefix = '') {
    this.#stream = stream
    this.#prefix = prefix
  }

  write(...lines: readonly string[]): void {
    for (const line of lines) this.#text += `${this.#prefix}${messageLine(line)}\n`
    if (this.#text.length >= WRITE_CHARACTERS) this.flush()
  }

  /** Write the lines that are still waiting. Call it at the end. */
  flush(): void {
    if (this.#text === '') return
    this.#stream.write(this.#text)
    this.#text = ''
  }
}
