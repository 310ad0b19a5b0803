/**
 * Which task ended a job. The job shell writes only the exit of the task that exits first, and the exit of the shell of
 * the first node, into `guest.exec.eventlog`. The status of the job is the highest of all.
 *
 * @see flux-core `src/shell/doom.c`, `src/modules/job-exec/job-exec.c`; RFC 34 "Flux Task Map"
 */
import { type EventlogEntry, parseEventlog } from '../../kvs/index.ts'
import { Hostlist } from '../../resource/index.ts'
import { memberAt, numberAt } from '../json.ts'

/** How a process ended, from its wait status. */
export interface ExitStatus {
  /** What a shell would give as `$?`: the exit code, or 128 and the signal. */
  readonly exitCode: number
  /** Number of the signal that ended it; undefined when it exited. */
  readonly signal: number | undefined
}

/** @param status - as waitpid(2) gives it */
export function exitStatusOf(status: number): ExitStatus {
  const signal = status & 0x7f
  return signal === 0 ? { exitCode: (status >> 8) & 0xff, signal: undefined } : { exitCode: 128 + signal, signal }
}

/** The exit of a task, or of one of several tasks. */
export interface TaskExit extends ExitStatus {
  /** Ranks of the tasks that it may have been; one, when it is known. Empty when no rank is known. */
  readonly ranks: readonly number[]
  readonly host: string | undefined
}

/** What `guest.exec.eventlog` says about the exits of tasks. */
export interface TaskExits {
  /** The task that exited first. */
  readonly first: TaskExit | undefined
  /** The tasks of the first node: the highest of their exits. */
  readonly firstNode: TaskExit | undefined
}

/**
 * Read the exits from an eventlog of the job's execution.
 *
 * @param log - text of `guest.exec.eventlog`
 * @param nodelist - hosts of the job (RFC 29)
 */
export function taskExits(log: string, nodelist: string | undefined): TaskExits {
  const { entries } = parseEventlog(log, { tolerant: true })
  const find = (name: string): EventlogEntry | undefined => entries.find((entry) => entry.name === name)
  const hosts = nodelist === undefined ? undefined : Hostlist.parse(nodelist)
  const nodes = nodesOfTasks(memberAt(find('shell.start')?.context, 'taskmap', 'map'))
  const exitAt = (name: string): ExitStatus | undefined => {
    const status = numberAt(find(name)?.context, 'wait_status')
    return status === undefined ? undefined : exitStatusOf(status)
  }
  const hostOf = (node: number | undefined) => (node === undefined ? undefined : hosts?.at(node))
  const task = exitAt('shell.task-exit')
  const rank = numberAt(find('shell.task-exit')?.context, 'rank')
  const shell = exitAt('shell-exit')
  const ranks = nodes.flatMap((node, i) => (node === 0 ? [i] : []))
  return {
    first: task && {
      ...task,
      ranks: rank === undefined ? [] : [rank],
      // On one node there is no need for a map.
      host: hostOf(rank === undefined ? undefined : (nodes[rank] ?? (hosts?.size === 1 ? 0 : undefined))),
    },
    firstNode: shell && { ...shell, ranks, host: hostOf(0) },
  }
}

/** More tasks than any job has. */
const MAX_TASKS = 1 << 24

/**
 * The node of each task, from a task map: blocks of `[first node, nodes, tasks on each node, repeats]`.
 *
 * @returns the index of the node by the rank of the task; empty when the map makes no sense
 */
function nodesOfTasks(map: unknown): number[] {
  const nodes: number[] = []
  if (!Array.isArray(map)) return nodes
  for (const block of map as unknown[]) {
    if (!Array.isArray(block) || !block.every((number) => Number.isSafeInteger(number) && number >= 0)) return []
    const [from = 0, count = 0, each = 0, repeats = 0] = block as number[]
    const tasks = count * each * repeats
    if (nodes.length + tasks > MAX_TASKS) return []
    // The other numbers of an empty block may be so large that counting to them takes for ever.
    if (tasks === 0) continue
    for (let turn = 0; turn < repeats; turn++) {
      for (let node = from; node < from + count; node++) for (let task = 0; task < each; task++) nodes.push(node)
    }
  }
  return nodes
}
