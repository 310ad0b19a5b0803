import { FluxError, OutputError, printable, printableLines } from '../errors/index.ts'

/** Text is written in pieces of about this many characters. */
const PIECE = 1 << 16

/**
 * Results on standard output. Text is collected into pieces, and {@link flush} waits while the reader is slow.
 *
 * ```ts
 * for (const line of lines) if (output.append(line)) await output.flush()
 * await output.flush()
 * ```
 */
export class Output {
  #text = ''

  /** Add text. @returns true when it is time to {@link flush} */
  append(text: string): boolean {
    this.#text += text
    return this.#text.length >= PIECE
  }

  /** Write text, after the text that was appended before. @throws {OutputError} standard output cannot be written */
  async write(text: string): Promise<void> {
    this.#text += text
    await this.flush()
  }

  /** Write content, after the text that was appended before. @throws {OutputError} standard output cannot be written */
  async writeContent(content: Uint8Array | string): Promise<void> {
    await this.flush()
    await print(content)
  }

  /** Write the text that was appended. @throws {OutputError} standard output cannot be written */
  async flush(): Promise<void> {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    await print(text)
  }
}

/**
 * Print to standard output unchanged, and wait until it is written.
 *
 * @throws {OutputError} `EPIPE` the reader has closed it; `ENOSPC` and other errors of write(2)
 */
export function print(piece: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(piece, (error) => {
      if (!error) return resolve()
      // The error is reported here. oclif listens too, and would turn it into an uncaught exception.
      process.stdout.removeAllListeners('error').on('error', () => {})
      const { code, message } = FluxError.fromSystem(error, 'cannot write standard output')
      reject(new OutputError(code, message, { cause: error }))
    })
  })
}

/**
 * The width of output in columns, as for `flux kvs`: the terminal's width, else COLUMNS, else 80.
 *
 * @param asked - `--width`; 0 is unlimited
 * @returns 0 for unlimited
 */
export function outputWidth(asked: number | undefined): number {
  if (asked !== undefined) return asked
  if (process.stdout.isTTY) return process.stdout.columns
  const columns = Number.parseInt(process.env.COLUMNS ?? '80', 10)
  return columns >= 0 ? columns : process.env.COLUMNS ? 0 : 80
}

/** As {@link shown}, for text of many lines: newlines and tabs stay. */
export function shownLines(text: string): string {
  return process.stdout.isTTY ? printableLines(text) : text
}

/**
 * Makes a function for content that is printed in pieces: it returns the bytes unchanged, but on a terminal text with
 * control characters escaped. Any user can write such characters into a value or into the output of a job.
 */
export function shownContent(): (bytes: Uint8Array) => string | Uint8Array {
  if (!process.stdout.isTTY) return (bytes) => bytes
  const decoder = new TextDecoder()
  return (bytes) => shownLines(decoder.decode(bytes, { stream: true }))
}

/** A name or value for standard output: unchanged, but on a terminal with control characters escaped. */
export function shown(text: string): string {
  return process.stdout.isTTY ? printable(text) : text
}
