import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'

/** What is left on a terminal of what came out there: a slow command shows its progress first, and removes it again. */
export function withoutProgress(output: string): string {
  const parts = output.split('\x1b[K')
  return [...parts.slice(0, -1).map((part) => part.slice(0, part.lastIndexOf('\r'))), parts.at(-1)].join('')
}

/** A program on a pseudo-terminal, which script(1) gives it, and somebody who types. */
export class Terminal implements AsyncDisposable {
  readonly #child: ChildProcess
  #shown = ''
  #waiting: (() => void)[] = []

  constructor(
    command: string,
    options: { cwd?: string; env: Record<string, string>; columns?: number; rows?: number },
  ) {
    const { cwd, env, columns = 100, rows = 50 } = options
    const script = `stty cols ${columns} rows ${rows}; exec ${command}`
    this.#child = spawn('script', ['-qec', script, '/dev/null'], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  /** All that came out, as it came out. */
  get raw(): string {
    return this.#shown
  }

  /** All that came out, without control sequences. */
  get text(): string {
    return stripVTControlCharacters(this.#shown).replaceAll('\r', '')
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Wait until something is shown. @param after - how much of the text is old */
  async until(pattern: RegExp, after = 0): Promise<RegExpExecArray> {
    while (true) {
      const match = pattern.exec(this.text.slice(after))
      if (match) return match
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Wait until the program has ended. @returns its exit status */
  async ended(): Promise<number> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode ?? -1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Its terminal goes with it, and so does what runs there.
    this.#child.kill('SIGKILL')
    await this.ended()
  }
}
