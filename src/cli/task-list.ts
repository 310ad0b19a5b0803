import { DefaultRenderer, Listr, ListrLogger, ProcessOutput, SilentRenderer } from 'listr2'
import type { DumpPhase } from '../dump/index.ts'
import { OutputRenderer, PeriodicRenderer, type PlainRendererOptions } from './renderers/periodic-renderer.ts'
import { isLive, type Verbosity } from './verbosity.ts'

/** listr2 checks whether stdout is a terminal, but this output goes to stderr. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true
}

/**
 * Run tasks, and show them on stderr: live on a terminal, elsewhere as a status line every second, with `verbose` only
 * their output, with `quiet` not at all. Never throws: the owner of the tasks gets their errors itself.
 *
 * @param status - returns one line of status, for output without titles
 * @param order - `concurrent`: run all at once (default), otherwise one after the other
 */
export async function showTasks(
  tasks: readonly DumpPhase[],
  verbosity: Verbosity,
  status: () => string,
  order: { concurrent?: boolean } = {},
): Promise<void> {
  // The command handles signals, and prints errors, itself.
  const common = { concurrent: order.concurrent ?? true, exitOnError: false, registerSignalListeners: false } as const
  const plain: PlainRendererOptions = { print: (text) => process.stderr.write(text), status }
  const plainList = (renderer: typeof PeriodicRenderer) =>
    new Listr([...tasks], { ...common, renderer, rendererOptions: plain } as object) as Listr
  const list = (): { run(): Promise<unknown> } => {
    if (verbosity === 'quiet') return new Listr([...tasks], { ...common, renderer: SilentRenderer })
    if (verbosity === 'verbose') return plainList(OutputRenderer)
    if (!isLive(verbosity)) return plainList(PeriodicRenderer)
    const logger = new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(process.stderr, process.stderr) })
    // A title on two lines would jump when the window is resized.
    const rendererOptions = {
      logger,
      showErrorMessage: false,
      collapseErrors: false,
      formatOutput: 'truncate',
    } as const
    return new Listr([...tasks], { ...common, renderer: LiveRenderer, rendererOptions })
  }
  await list()
    .run()
    .catch(() => {})
}
