import { byteText, countText, partTexts, printable, timeText } from '../errors/index.ts'
import type { Snapshot } from '../kvs/index.ts'
import type { Dump, DumpProgress } from './dump.ts'

/** How often a live title is painted again. listr2 repaints at each change, and one costs tens of microseconds. */
const REPAINT_MS = 100

/** A phase, as listr2 takes it for a task: said here, for listr2's own types do not compile in every program. */
export interface DumpPhase {
  title: string
  /** Settles when the phase is over. @param shown - the phase while it is shown: its title says how far it is, its output stands below */
  task(context: unknown, shown: ShownPhase): Promise<void>
}

/** A phase while it is shown. */
export interface ShownPhase {
  title: string
  output: string
}

/** How the phases of a dump are shown. */
export interface DumpTasksOptions {
  /** Change titles while work goes on: for a renderer that can show it. */
  live: boolean
  /** Milliseconds, from any origin. */
  now: () => number
  /** Blobs in the store, once that is known: a dump of a store that holds nothing else loads them all. */
  objects: () => number | undefined
  /** Blobs of a live instance that were read from the file of its backing store (default: none). */
  direct?: () => number
}

/** What {@link dumpTasks} makes of a dump. */
export interface DumpTasks {
  tasks: DumpPhase[]
  /** Shows paths below the task *Write*. */
  printMembers: (paths: readonly string[]) => void
}

/**
 * The three phases of a dump as listr2 tasks, to be run concurrently: each waits for its own part of {@link Dump.run}.
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
          // Nobody knows how much of the store a part of the snapshot is; and what old roots have left in it is never read.
          const all = dump.isWhole && !isDone ? objects() : undefined
          const part = all ? dump.progress.loaded / all : undefined
          const seconds = (now() - started) / 1000
          // Before all else, since a title is cut where the window ends.
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
  if (namespace !== undefined) return `${rootref} (namespace ${namespace}, sequence ${sequence})`
  const which = checkpointIndex ? `checkpoint ${checkpointIndex}` : 'checkpoint'
  const when = timestamp ? ` (${which} of ${timeText(timestamp, { offset: true })})` : ''
  return `${rootref}${when}`
}

function writeText(progress: Readonly<DumpProgress>, seconds: number): string {
  const { keys, blobs, bytes } = progress
  const rate = seconds > 0 ? `, ${byteText(bytes / seconds)}/s` : ''
  return `${countText(keys, 'key')}, ${countText(blobs, 'blob')}, ${byteText(bytes)}${rate}`
}
