/** Bytes that are written at a time: a system call a line would be most of the time that a long list takes. */
const WRITE_CHARACTERS = 1 << 16

/** Writes lines to a stream, many at a time. */
export class LineWriter {
  readonly #stream: { write(text: string): unknown }
  readonly #prefix: string
  #text = ''

  /** @param prefix - what each line begins with */
  constructor(stream: { write(text: string): unknown }, prefix = '') {
    this.#stream = stream
    this.#prefix = prefix
  }

  write(...lines: readonly string[]): void {
    for (const line of lines) this.#text += `${this.#prefix}${line}\n`
    if (this.#text.length >= WRITE_CHARACTERS) this.flush()
  }

  /** Call it at the end. */
  flush(): void {
    if (this.#text === '') return
    this.#stream.write(this.#text)
    this.#text = ''
  }
}
