import { byteText, countText, partTexts, printable } from '../errors/index.ts'
import type { Restore, RestoreProgress } from './restore.ts'

/** How often a live title is painted again. */
const REPAINT_MS = 100

/** A phase, as listr2 takes it for a task: said here, for listr2's own types do not compile in every program. */
export interface RestorePhase {
  title: string
  /** Settles when the phase is over. @param shown - the phase while it is shown: its title says how far it is, its output stands below */
  task(context: unknown, shown: { title: string; output: string }): Promise<void>
}

/** How the phases of a restore are shown. */
export interface RestoreTasksOptions {
  /** Change titles while work goes on: for a renderer that can show it. */
  live: boolean
  /** Where the root goes, in words. */
  target: string
  /** Milliseconds, from any origin. */
  now: () => number
}

/** What {@link restoreTasks} makes of a restore. */
export interface RestoreTasks {
  tasks: RestorePhase[]
  /** Shows lines below the task *Store*. */
  printMembers: (lines: readonly string[]) => void
}

/**
 * The phases of a restore as listr2 tasks, to be run one after the other: each waits for its own part of
 * {@link Restore.run}.
 *
 * @returns the tasks, and a function whose lines appear as the output of the task *Store*
 */
export function restoreTasks(restore: Restore, { live, target, now }: RestoreTasksOptions): RestoreTasks {
  let storing: { output: string } | undefined
  /** Members that came before the list was so far. */
  const waiting: string[] = []
  const tasks: RestorePhase[] = [
    {
      title: 'Open archive',
      task: async (_, task) => {
        const { format, filter } = await restore.opened
        task.title = `Open archive: ${format}${filter === 'none' ? '' : `, ${filter}`}`
      },
    },
    {
      title: 'Store',
      task: async (_, task) => {
        storing = task
        if (waiting.length > 0) storing.output = waiting.splice(0).join('\n')
        const started = now()
        const show = (facts: readonly string[]) =>
          (task.title = `Store: ${[...facts, progressText(restore.progress)].join(', ')}`)
        // Before all else, since a title is cut where the window ends.
        const facts = () =>
          partTexts({ part: restore.part, seconds: (now() - started) / 1000, left: 'about', of: 'of the archive' })
        const timer = live ? setInterval(() => show(facts()), REPAINT_MS) : undefined
        await restore.read.finally(() => clearInterval(timer))
        show([])
      },
    },
    {
      title: 'Commit',
      task: async (_, task) => {
        const { rootref } = await restore.committed
        task.title = `Commit: ${rootref} to ${target}`
      },
    },
  ]
  const printMembers = (lines: readonly string[]) => {
    const shown = lines.map(printable)
    if (storing) storing.output = shown.join('\n')
    else waiting.push(...shown)
  }
  return { tasks, printMembers }
}

function progressText({ keys, blobs, bytes }: Readonly<RestoreProgress>): string {
  return `${countText(keys, 'key')}, ${countText(blobs, 'blob')}, ${byteText(bytes)}`
}
