import { byteText, countText, partTexts, printable, timeText } from '../errors/index.ts'
import type { Snapshot } from '../kvs/index.ts'
import type { Dump } from './dump.ts'
import type { DumpProgress } from './progress.ts'

/** Milliseconds between updates of a live title. listr2 repaints at each change, which takes tens of microseconds. */
const REPAINT_MS = 100

/** A phase, in the form of a listr2 task. Declared here because listr2's own types do not compile in every program. */
export interface DumpPhase {
  title: string
  /**
   * Settles when the phase has ended. @param shown - the shown phase: its title gives the progress, its output appears
   * below
   */
  task(context: unknown, shown: ShownPhase): Promise<void>
}

/** A phase on the screen. */
export interface ShownPhase {
  title: string
  output: string
}

/** How the phases of a dump are shown. */
export interface DumpTasksOptions {
  /** Update titles while a phase runs, for a renderer that can show it. */
  live: boolean
  /** The current time in milliseconds, from any origin. */
  now: () => number
  /** Number of blobs in the store, once known. A dump loads all of them if the store holds nothing but its snapshot. */
  objects: () => number | undefined
  /** Blobs of a live instance that were read from the file of its backing store (default: none). */
  direct?: () => number
}

/** The result of {@link dumpTasks}. */
export interface DumpTasks {
  tasks: DumpPhase[]
  /** Shows paths below the task *Write*. */
  printMembers: (paths: readonly string[]) => void
}

/**
 * The three phases of a dump as listr2 tasks. Run them concurrently: each waits for its part of {@link Dump.run}.
 *
 * @returns the tasks, and a function whose paths appear as the output of the task *Write*
 */
export function dumpTasks(dump: Dump, options: DumpTasksOptions): DumpTasks {
  const { live, now, objects, direct = () => 0 } = options
  const started = now()
  let writing: ShownPhase | undefined
  const paint = async (task: ShownPhase, title: () => string, phase: Promise<unknown>) => {
    const timer = live ? setInterval(() => (task.title = title()), REPAINT_MS) : undefined
    try {
      await phase
      task.title = title()
    } finally {
      clearInterval(timer)
    }
  }
  const tasks: DumpPhase[] = [
    {
      title: 'Resolve root',
      task: async (_, task) => {
        task.title = `Resolve root: ${snapshotText(await dump.resolved)}`
      },
    },
    {
      title: 'Walk',
      task: (_, task) => {
        let isDone = false
        const title = () => {
          // The part of the store that a selection loads is unknown. For the whole snapshot it is an upper bound, since
          // blobs of older roots are never loaded.
          const all = dump.isWhole && !isDone ? objects() : undefined
          const part = all ? dump.progress.loaded / all : undefined
          const seconds = (now() - started) / 1000
          // These come first, since a title is cut at the width of the window.
          const facts = partTexts({ part, seconds, left: 'at most', of: 'of the store' })
          facts.push(countText(dump.progress.walked, 'key'))
          const beside = direct()
          if (beside > 0) facts.push(`${countText(beside, 'blob')} read beside the broker`)
          return `Walk: ${facts.join(', ')}`
        }
        return paint(
          task,
          title,
          dump.walked.finally(() => (isDone = true)),
        )
      },
    },
    {
      title: 'Write',
      task: (_, task) => {
        writing = task
        return paint(writing, () => `Write: ${writeText(dump.progress, (now() - started) / 1000)}`, dump.written)
      },
    },
  ]
  const printMembers = (paths: readonly string[]) => {
    if (writing) writing.output = paths.map(printable).join('\n')
  }
  return { tasks, printMembers }
}

function snapshotText({ rootref, timestamp, checkpointIndex, namespace, sequence }: Snapshot): string {
  if (namespace !== undefined) return `${rootref} (namespace ${printable(namespace)}, sequence ${sequence})`
  const which = checkpointIndex ? `checkpoint ${checkpointIndex}` : 'checkpoint'
  const when = timestamp ? ` (${which} of ${timeText(timestamp, { offset: true })})` : ''
  return `${rootref}${when}`
}

function writeText(progress: Readonly<DumpProgress>, seconds: number): string {
  const { keys, blobs, bytes } = progress
  const rate = seconds > 0 ? `, ${byteText(bytes / seconds)}/s` : ''
  return `${countText(keys, 'key')}, ${countText(blobs, 'blob')}, ${byteText(bytes)}${rate}`
}
