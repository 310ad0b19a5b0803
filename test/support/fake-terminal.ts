import type { LinePlace, TerminalStream } from '../../src/cli/progress-line.ts'

/** What a terminal shows in the end of what was written to it; of control sequences it knows those of our line. */
export function screenOf(raw: string): string[] {
  const lines: string[][] = [[]]
  let column = 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  for (const [piece] of raw.matchAll(/\x1b\[[\d;?]*[A-Za-z]|[\s\S]/gu)) {
    const line = lines.at(-1) as string[]
    if (piece === '\r') column = 0
    else if (piece === '\n') column = lines.push([]) * 0
    else if (piece === '\x1b[K') line.length = Math.min(line.length, column)
    else if (!piece.startsWith('\x1b')) line[column++] = piece
  }
  return lines.map((line) => Array.from(line, (character) => character ?? ' ').join(''))
}

/** A terminal, and a clock that goes on when it is told to. */
export class FakeTerminal implements LinePlace {
  raw = ''
  readonly stdout: TerminalStream
  readonly stderr: TerminalStream & { columns: number }
  #now = 0
  #timers: { ms: number; call: () => void; next: number }[] = []

  constructor() {
    const stream = () => ({
      isTTY: true,
      columns: 100,
      write: (chunk: string | Uint8Array) => {
        // As the terminal itself does it.
        this.raw += Buffer.from(chunk as string)
          .toString()
          .replaceAll('\n', '\r\n')
        return true
      },
    })
    this.stdout = stream()
    this.stderr = stream()
  }

  now(): number {
    return this.#now
  }

  every(ms: number, call: () => void): () => void {
    const timer = { ms, call, next: this.#now + ms }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** True while something is called again and again. */
  get isBusy(): boolean {
    return this.#timers.length > 0
  }

  pass(ms: number): void {
    for (const until = this.#now + ms; this.#now < until; ) {
      this.#now++
      for (const timer of this.#timers) {
        if (timer.next > this.#now) continue
        timer.next += timer.ms
        timer.call()
      }
    }
  }

  get screen(): string[] {
    return screenOf(this.raw)
  }
}
