import type { DumpPhase } from '../dump/index.ts'
import { plainTasks } from './plain-tasks.ts'
import { isLive, type Verbosity } from './verbosity.ts'

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
  { concurrent = true }: { concurrent?: boolean } = {},
): Promise<void> {
  if (isLive(verbosity)) {
    const { liveTasks } = await import('./live-tasks.ts')
    await liveTasks(tasks, concurrent)
  } else {
    await plainTasks(tasks, { verbosity, concurrent, print: (text) => process.stderr.write(text), status })
  }
}
