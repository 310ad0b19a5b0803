import type { DumpPhase } from '../dump/index.ts'

/** How tasks are shown where no line can be painted again. */
export interface PlainOptions {
  /** `quiet`: not at all; `verbose`: only their output, as it comes; `normal`: a status line now and then. */
  verbosity: 'quiet' | 'verbose' | 'normal'
  /** Run all tasks at once, otherwise one after the other. */
  concurrent: boolean
  /** Writes text to standard error. */
  print: (text: string) => unknown
  /** Returns the status line. */
  status: () => string
}

/** How often a status line is printed. */
const PERIOD_MS = 1000

/**
 * Run tasks to their ends, and show them as lines of text, without their titles. The status line is printed every second
 * if it has changed, and at the end unless a task has failed. Never throws.
 */
export async function plainTasks(tasks: readonly DumpPhase[], options: PlainOptions): Promise<void> {
  const { verbosity, concurrent, print, status } = options
  const shown = {
    title: '',
    set output(text: string) {
      if (verbosity === 'verbose') print(`${text}\n`)
    },
  }
  let last = ''
  const printStatus = () => {
    const line = status()
    if (line !== last) print(`${line}\n`)
    last = line
  }
  const timer = verbosity === 'normal' ? setInterval(printStatus, PERIOD_MS).unref() : undefined
  let hasFailed = false
  const runs = async (task: DumpPhase) => {
    try {
      await task.task(undefined, shown)
    } catch {
      hasFailed = true
    }
  }
  if (concurrent) await Promise.all(tasks.map(runs))
  else for (const task of tasks) await runs(task)
  clearInterval(timer)
  if (timer !== undefined && !hasFailed) printStatus()
}
