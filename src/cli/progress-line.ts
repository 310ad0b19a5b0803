/**
 * The last line of the terminal, which says how far things are. It stands on standard error only while nothing else is
 * written: whatever goes to a terminal by standard output or standard error takes it away first, and it comes back when
 * nothing more has come for a while. So it never mixes with results or complaints, whoever prints them.
 */
import { fstatSync } from 'node:fs'

/** Nothing is shown of what is done sooner; and after something else was written, nothing for as long. */
const DELAY_MS = 500

/** How often it is painted again. */
const REPAINT_MS = 100

const ERASE = '\r\x1b[K'

type Write = NodeJS.WriteStream['write']

/** What is used of a stream. */
export interface TerminalStream {
  isTTY?: boolean
  columns?: number
  readonly fd?: number
  write: Write
}

/** What a {@link ProgressLine} stands on: the process, but in tests. */
export interface LinePlace {
  readonly stdout: TerminalStream
  readonly stderr: TerminalStream
  /** Milliseconds, from any origin. */
  now(): number
  /** Call something again and again, without keeping the process from ending. @returns ends it */
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

/** What the line says. @param columns - the most it may take @returns undefined for nothing */
export type LineText = (columns: number) => string | undefined

export class ProgressLine {
  readonly #place: LinePlace
  #text: LineText = () => undefined
  #stop: (() => void) | undefined
  /** What stands there now. */
  #shown: string | undefined
  /** When something else was written last. */
  #wroteAt = 0
  /** False while somebody else has begun a line on the terminal and not ended it. */
  #isAtStart = true
  /** True while we write ourselves. */
  #isOurs = false
  /** Set when the terminal belongs to whoever reads standard output. */
  #isGone = false

  constructor(place: LinePlace = PROCESS) {
    this.#place = place
  }

  /** Show this from now on. */
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

  /** Take the line away, for good. */
  end(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  #paint(): void {
    if (this.#isGone || !this.#isAtStart || this.#place.now() - this.#wroteAt < DELAY_MS) return
    // A terminal that has filled its last column may have gone on to the next line.
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

  /** Something else is about to be written. */
  #makeWay(stream: TerminalStream, chunk: string | Uint8Array): void {
    if (this.#isOurs || chunk.length === 0) return
    if (!stream.isTTY) {
      // Results have begun, and what reads them may be a pager that has the terminal now.
      if (stream === this.#place.stdout && isPipe(stream)) this.#isGone = true
      if (this.#isGone) this.#erase()
      return
    }
    this.#erase()
    this.#wroteAt = this.#place.now()
    this.#isAtStart = chunk.at(-1) === '\n' || chunk.at(-1) === 10
  }
}

/** Hear of everything before it is written. @returns ends that */
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
    // Somebody else may stand in its place by now, and call it.
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
