import { byteText, countText, partTexts, printable } from '../errors/index.ts'
import type { RestoreProgress } from './progress.ts'
import type { Restore } from './restore.ts'

/** Milliseconds between updates of a live title. */
const REPAINT_MS = 100

/** A phase, in the form of a listr2 task. Declared here because listr2's own types do not compile in every program. */
export interface RestorePhase {
  title: string
  /**
   * Settles when the phase has ended. @param shown - the shown phase: its title gives the progress, its output appears
   * below
   */
  task(context: unknown, shown: { title: string; output: string }): Promise<void>
}

/** How the phases of a restore are shown. */
export interface RestoreTasksOptions {
  /** Update titles while a phase runs, for a renderer that can show it. */
  live: boolean
  /** Where the root is committed to, as text. */
  target: string
  /** The current time in milliseconds, from any origin. */
  now: () => number
}

/** The result of {@link restoreTasks}. */
export interface RestoreTasks {
  tasks: RestorePhase[]
  /** Shows lines below the task *Store*. */
  printMembers: (lines: readonly string[]) => void
}

/**
 * The phases of a restore as listr2 tasks. Run them one after the other: each waits for its part of
 * {@link Restore.run}.
 *
 * @returns the tasks, and a function whose lines appear as the output of the task *Store*
 */
export function restoreTasks(restore: Restore, { live, target, now }: RestoreTasksOptions): RestoreTasks {
  let storing: { output: string } | undefined
  /** Lines that came before the task *Store* was shown. */
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
        // These come first, since a title is cut at the width of the window.
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
        task.title = `Commit: ${rootref} to ${printable(target)}`
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
