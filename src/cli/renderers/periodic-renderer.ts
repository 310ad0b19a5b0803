import { ListrTaskEventType, type ListrTaskObject } from 'listr2'

/** What the plain renderers are told. */
export interface PlainRendererOptions {
  /** Write to where a person reads. */
  print: (text: string) => unknown
  /** The line that says how far things are; asked for now and then, and once at the end. */
  status: () => string
}

/** How often a status line is printed where no terminal shows it changing. */
const PERIOD_MS = 1000

type Task = ListrTaskObject<unknown, never, never>

/** For output that is no terminal: a status line every second and one at the end. Titles and output are not shown. */
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

/** For `--verbose`: the output of the tasks, as it comes, and nothing else. */
export class OutputRenderer extends PeriodicRenderer {
  override render(): void {
    for (const task of this.tasks) {
      task.on(ListrTaskEventType.OUTPUT, (output) => this.options.print(`${output}\n`))
    }
  }

  override end(): void {
    // Each key has been listed; there is nothing to sum up.
  }
}
