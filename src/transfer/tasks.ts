import { byteText, countText, partTexts } from '../errors/index.ts'
import type { Compaction } from './compaction.ts'

/** Milliseconds between updates of a live title. */
const REPAINT_MS = 100

/** A phase, in the form of a listr2 task. Declared here because listr2's own types do not compile in every program. */
export interface CompactionPhase {
  title: string
  /** Settles when the phase has ended. @param shown - the shown phase: its title gives the progress */
  task(context: unknown, shown: { title: string; output: string }): Promise<void>
}

/** How the phases of a compaction are shown. */
export interface CompactionTasksOptions {
  /** Update titles while a phase runs, for a renderer that can show it. */
  live: boolean
  /** The current time in milliseconds, from any origin. */
  now: () => number
  /** Number of blobs that were looked at so far. */
  looked: () => number
}

/**
 * The phases of a compaction as listr2 tasks. Run them one after the other: each waits for its part of
 * {@link Compaction.run}.
 */
export function compactionTasks(compaction: Compaction, options: CompactionTasksOptions): CompactionPhase[] {
  const { live, now, looked } = options
  const paint = async <T>(task: { title: string }, title: () => string, phase: Promise<T>): Promise<T> => {
    const timer = live ? setInterval(() => (task.title = title()), REPAINT_MS) : undefined
    return phase.finally(() => clearInterval(timer))
  }
  return [
    {
      title: 'Find what the checkpoints reach',
      task: async (_, task) => {
        const title = () => `Find what the checkpoints reach: ${countText(looked(), 'blob')}`
        const { blobs, storeBlobs, storedBytes } = await paint(task, title, compaction.chosen)
        const all = countText(storeBlobs, 'blob')
        task.title = `Find what the checkpoints reach: ${countText(blobs, 'blob')} of ${all}, ${byteText(storedBytes)}`
      },
    },
    {
      title: 'Look for room',
      task: async (_, task) => {
        const { neededBytes, freeBytes } = await compaction.measured
        const free = freeBytes === undefined ? '' : `, ${byteText(freeBytes)} free`
        task.title = `Look for room: ${byteText(neededBytes)} needed${free}`
      },
    },
    {
      title: 'Copy',
      task: async (_, task) => {
        const started = now()
        const facts = () =>
          partTexts({ part: compaction.part, seconds: (now() - started) / 1000, left: 'about', of: 'of the blobs' })
        const title = () => `Copy: ${[...facts(), countText(compaction.copied, 'blob')].join(', ')}`
        const { blobs, outputBytes } = await paint(task, title, compaction.written)
        task.title =
          outputBytes === undefined ? 'Copy: not done' : `Copy: ${countText(blobs, 'blob')}, ${byteText(outputBytes)}`
      },
    },
  ]
}
