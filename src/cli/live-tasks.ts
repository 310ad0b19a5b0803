/** Only this file loads listr2, which takes as long as a short command. */
import { DefaultRenderer, Listr, ListrLogger, ProcessOutput } from 'listr2'
import type { DumpPhase } from '../dump/index.ts'

/** listr2 checks whether stdout is a terminal, but this output goes to stderr. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true
}

/** Run tasks, and show them live on stderr, a terminal. Never throws. */
export async function liveTasks(tasks: readonly DumpPhase[], concurrent: boolean): Promise<void> {
  const logger = new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(process.stderr, process.stderr) })
  const list = new Listr([...tasks], {
    concurrent,
    exitOnError: false,
    // The command handles signals, and prints errors, itself.
    registerSignalListeners: false,
    renderer: LiveRenderer,
    // A title on two lines would jump when the window is resized.
    rendererOptions: { logger, showErrorMessage: false, collapseErrors: false, formatOutput: 'truncate' },
  })
  await list.run().catch(() => {})
}
