import type { DefaultRenderer, ListrTask, ListrTaskWrapper, SimpleRenderer } from 'listr2'
import { grouped, printable } from '../errors/index.ts'
import type { Restore, RestoreProgress } from './restore.ts'

/** How often a live title is painted again. */
const REPAINT_MS = 100

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>

export interface RestoreTasksOptions {
  /** Change titles while work goes on: for a renderer that can show it. */
  live: boolean
  /** Where the root goes, in words. */
  target: string
}

/**
 * The phases of a restore as listr2 tasks, to be run concurrently: each waits for its own part of {@link Restore.run}.
 * What {@link printMembers} is given appears as the output of the task *Store*.
 */
export function restoreTasks(
  restore: Restore,
  { live, target }: RestoreTasksOptions,
): { tasks: ListrTask[]; printMembers: (lines: readonly string[]) => void } {
  let storing: Task | undefined
  const tasks: ListrTask[] = [
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
        storing = task as Task
        const show = () => (task.title = `Store: ${progressText(restore.progress)}`)
        const timer = live ? setInterval(show, REPAINT_MS) : undefined
        await restore.read.finally(() => clearInterval(timer))
        show()
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
    if (storing) storing.output = lines.map(printable).join('\n')
  }
  return { tasks, printMembers }
}

function progressText({ keys, blobs, bytes }: Readonly<RestoreProgress>): string {
  return `${grouped(keys)} keys, ${grouped(blobs)} blobs, ${grouped(bytes)} bytes`
}
