/**
 * A progress line at the bottom of the terminal, on standard error. It is shown only while nothing else is written: a
 * write to standard output or standard error removes it first, and it comes back when nothing was written for a while.
 * So it never mixes with results or warnings, wherever they come from.
 */
import { fstatSync } from 'node:fs'

/** The line is shown this long after the start, and after other output. */
const DELAY_MS = 500

/** How often the line is repainted. */
const REPAINT_MS = 100

const ERASE = '\r\x1b[K'

type Write = NodeJS.WriteStream['write']

/** The members of a stream that are used here. */
export interface TerminalStream {
  isTTY?: boolean
  columns?: number
  readonly fd?: number
  write: Write
}

/** The streams and the clock of a {@link ProgressLine}: those of the process, except in tests. */
export interface LinePlace {
  readonly stdout: TerminalStream
  readonly stderr: TerminalStream
  /** Milliseconds, from any origin. */
  now(): number
  /** Call a function periodically, without keeping the process alive. @returns a function that stops it */
  every(ms: number, call: () => void): () => void
}

const PROCESS: LinePlace = {
  stdout: process.stdout as TerminalStream,
  stderr: process.stderr as TerminalStream,
  now: () => performance.now(),
  every(ms, call) {
    const timer = setInterval(call, ms).unref()
    return () => clearInterval(timer)
  },
}

/** The text of the line. @param columns - its maximum width @returns undefined to show nothing */
export type LineText = (columns: number) => string | undefined

export class ProgressLine {
  readonly #place: LinePlace
  #text: LineText = () => undefined
  #stop: (() => void) | undefined
  /** The text on the terminal now. */
  #shown: string | undefined
  /** When other output was written last. */
  #wroteAt = 0
  /** False while other output has left an unfinished line on the terminal. */
  #isAtStart = true
  /** True during our own writes. */
  #isOurs = false
  /** True when a pager may be using the terminal: then nothing is shown any more. */
  #isGone = false

  constructor(place: LinePlace = PROCESS) {
    this.#place = place
  }

  /** Show this text from now on. */
  show(text: LineText): void {
    this.#text = text
    if (this.#stop !== undefined) return
    this.#wroteAt = this.#place.now()
    const { stdout, stderr } = this.#place
    const released = [stdout, stderr].map((stream) => watched(stream, (chunk) => this.#makeWay(stream, chunk)))
    const stopPainting = this.#place.every(REPAINT_MS, () => this.#paint())
    this.#stop = () => {
      stopPainting()
      this.#erase()
      for (const release of released) release()
    }
  }

  /** Remove the line for good. */
  end(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  #paint(): void {
    if (this.#isGone || !this.#isAtStart || this.#place.now() - this.#wroteAt < DELAY_MS) return
    // Leave the last column free: some terminals go to the next line when it is filled.
    const text = this.#text((this.#place.stderr.columns || 80) - 1)
    if (text === this.#shown) return
    this.#writePlain(text === undefined ? ERASE : `\r${text}\x1b[K`)
    this.#shown = text
  }

  #erase(): void {
    if (this.#shown === undefined) return
    this.#shown = undefined
    this.#writePlain(ERASE)
  }

  #writePlain(text: string): void {
    this.#isOurs = true
    this.#place.stderr.write(text)
    this.#isOurs = false
  }

  /** Called before other output is written. */
  #makeWay(stream: TerminalStream, chunk: string | Uint8Array): void {
    if (this.#isOurs || chunk.length === 0) return
    if (!stream.isTTY) {
      // Results go to a pipe. Its reader may be a pager, which uses the terminal from now on.
      if (stream === this.#place.stdout && isPipe(stream)) this.#isGone = true
      if (this.#isGone) this.#erase()
      return
    }
    this.#erase()
    this.#wroteAt = this.#place.now()
    this.#isAtStart = chunk.at(-1) === '\n' || chunk.at(-1) === 10
  }
}

/** Call a function before each write to a stream. @returns a function that ends this */
function watched(stream: TerminalStream, before: (chunk: string | Uint8Array) => void): () => void {
  const { write } = stream
  const isOwn = Object.hasOwn(stream, 'write')
  let isOn = true
  const watching = function (this: TerminalStream, chunk: string | Uint8Array, ...rest: never[]) {
    if (isOn) before(chunk)
    return write.call(stream, chunk, ...rest)
  } as Write
  stream.write = watching
  return () => {
    isOn = false
    // If other code has replaced `write` since, it still calls ours: leave both in place.
    if (stream.write !== watching) return
    if (isOwn) stream.write = write
    else delete (stream as Partial<TerminalStream>).write
  }
}

function isPipe({ fd }: TerminalStream): boolean {
  if (fd === undefined) return false
  try {
    const stats = fstatSync(fd)
    return stats.isFIFO() || stats.isSocket()
  } catch {
    return false
  }
}
