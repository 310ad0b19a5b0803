import { FluxError, printable } from '../errors/index.ts'

/** Standard output cannot be written: this cannot be told there, as JSON either. */
export class OutputError extends FluxError {}

/** Text is written in pieces of about this many characters. */
const PIECE = 1 << 16

/**
 * Results on standard output: text is gathered into pieces, and whoever writes waits while the reader is slow.
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

  /** Write text, and what was added before. @throws {FluxError} `EPIPE` nobody reads any more */
  async write(text: string): Promise<void> {
    this.#text += text
    await this.flush()
  }

  /** Write bytes as they are, after what was added before. @throws as {@link write} */
  async writeBytes(bytes: Uint8Array): Promise<void> {
    await this.flush()
    await print(bytes)
  }

  /** @throws as {@link write} */
  async flush(): Promise<void> {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    await print(text)
  }
}

/**
 * Print on standard output as it is, and wait until it is taken.
 *
 * @throws {OutputError} `EPIPE` nobody reads any more; `ENOSPC` and the like
 */
export function print(piece: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(piece, (error) => {
      if (!error) return resolve()
      // It is told here and now. oclif listens too, and would make an uncaught exception of it.
      process.stdout.removeAllListeners('error').on('error', () => {})
      const { code, message } = FluxError.fromSystem(error, 'cannot write standard output')
      reject(new OutputError(code, message, { cause: error }))
    })
  })
}

/**
 * How wide output may be, as `flux kvs` finds it: the terminal's width, else COLUMNS, else 80.
 *
 * @param asked - `--width`; 0 is unlimited
 */
export function outputWidth(asked: number | undefined): number {
  if (asked !== undefined) return asked
  if (process.stdout.isTTY) return process.stdout.columns
  const columns = Number.parseInt(process.env.COLUMNS ?? '80', 10)
  return columns >= 0 ? columns : process.env.COLUMNS ? 0 : 80
}

/** Text of many lines, each as {@link shown} has it; tabs stay. */
export function shownLines(text: string): string {
  return process.stdout.isTTY
    ? text
        .split(/([\n\t])/)
        .map((part) => (/^[\n\t]$/.test(part) ? part : printable(part)))
        .join('')
    : text
}

/** Names and values as they are; on a terminal without the power to move its cursor. */
export function shown(text: string): string {
  return process.stdout.isTTY ? printable(text) : text
}
