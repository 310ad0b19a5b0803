import { ListrTaskEventType, type ListrTaskObject } from 'listr2'

/** Options of the plain renderers. */
export interface PlainRendererOptions {
  /** Writes text to standard error. */
  print: (text: string) => unknown
  /** Returns the status line; called periodically, and once at the end. */
  status: () => string
}

/** How often a status line is printed. */
const PERIOD_MS = 1000

type Task = ListrTaskObject<unknown, never, never>

/**
 * For output that is not a terminal: a status line every second, and one at the end. Titles and output are not shown.
 */
export class PeriodicRenderer {
  static nonTTY = true
  static rendererOptions: PlainRendererOptions
  static rendererTaskOptions: Record<string, never>
  protected readonly tasks: readonly Task[]
  protected readonly options: PlainRendererOptions
  #timer: NodeJS.Timeout | undefined
  #last = ''

  constructor(tasks: readonly Task[], options: PlainRendererOptions) {
    this.tasks = tasks
    this.options = options
  }

  render(): void {
    this.#timer = setInterval(() => this.#print(), PERIOD_MS).unref()
  }

  end(): void {
    clearInterval(this.#timer)
    if (!this.tasks.some((task) => task.hasFailed())) this.#print()
  }

  #print(): void {
    const status = this.options.status()
    if (status !== this.#last) this.options.print(`${status}\n`)
    this.#last = status
  }
}

/** For `--verbose`: only the output of the tasks, as it comes. */
export class OutputRenderer extends PeriodicRenderer {
  override render(): void {
    for (const task of this.tasks) {
      task.on(ListrTaskEventType.OUTPUT, (output) => this.options.print(`${output}\n`))
    }
  }

  override end(): void {
    // Each key has been listed, so no summary is needed.
  }
}
