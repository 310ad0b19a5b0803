import { DefaultRenderer, Listr, ListrLogger, ProcessOutput, SilentRenderer } from 'listr2'
import type { DumpPhase } from '../dump/index.ts'
import { OutputRenderer, PeriodicRenderer, type PlainRendererOptions } from './renderers/periodic-renderer.ts'
import { isLive, type Verbosity } from './verbosity.ts'

/** listr2 looks at stdout to see whether there is a terminal; ours is on stderr. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true
}

/**
 * Run tasks, and show them on stderr: live on a terminal, as a line now and then elsewhere, their output
 * alone when verbose, not at all when quiet. Never throws: whose tasks they are knows what became of them.
 *
 * @param status - one line that says how far things are, for where no titles are shown
 * @param order - `concurrent`: all side by side (default); else one after the other
 */
export async function showTasks(
  tasks: readonly DumpPhase[],
  verbosity: Verbosity,
  status: () => string,
  order: { concurrent?: boolean } = {},
): Promise<void> {
  // Signals are the command's own. Errors are printed by it too, as one line.
  const common = { concurrent: order.concurrent ?? true, exitOnError: false, registerSignalListeners: false } as const
  const plain: PlainRendererOptions = { print: (text) => process.stderr.write(text), status }
  const plainList = (renderer: typeof PeriodicRenderer) =>
    new Listr([...tasks], { ...common, renderer, rendererOptions: plain } as object) as Listr
  const list = (): { run(): Promise<unknown> } => {
    if (verbosity === 'quiet') return new Listr([...tasks], { ...common, renderer: SilentRenderer })
    if (verbosity === 'verbose') return plainList(OutputRenderer)
    if (!isLive(verbosity)) return plainList(PeriodicRenderer)
    const logger = new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(process.stderr, process.stderr) })
    // A title on two lines would jump when the window changes.
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
