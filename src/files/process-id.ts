/**
 * A unique name of a process. A pid is used again, but not with the same start time in the same boot of the same
 * machine. File names contain it, to recognise a file that a killed process left.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'

/** The format of {@link processId}. */
const PROCESS_ID = /^([1-9]\d{0,6})-(\d{1,20})-([0-9a-f]{16})$/

let own: string | undefined | null = null

/**
 * The name of this process: its pid, its start time, and a hash of the boot and the pid namespace in which these are
 * valid.
 *
 * @returns undefined where /proc lacks them
 * @see proc_pid_stat(5) `starttime`; pid_namespaces(7)
 */
export function processId(): string | undefined {
  if (own === null) own = findOwn()
  return own
}

/** True when `id` names a process of this boot and this pid namespace that has ended; false when in doubt. */
export function isOver(id: string): boolean {
  const [, pid, start, where] = PROCESS_ID.exec(id) ?? []
  if (pid === undefined || where === undefined || where !== processId()?.split('-')[2]) return false
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    // EPERM means that the process exists and belongs to another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
  }
  const now = startTime(pid)
  return now !== undefined && now !== start
}

function findOwn(): string | undefined {
  const start = startTime('self')
  try {
    const where = `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')} ${readlinkSync('/proc/self/ns/pid')}`
    const hash = createHash('sha256').update(where).digest('hex').slice(0, 16)
    return start === undefined ? undefined : `${process.pid}-${start}-${hash}`
  } catch {
    return undefined
  }
}

/** Clock ticks from boot to the start of a process; undefined when it cannot be read. */
function startTime(pid: string): string | undefined {
  try {
    // The program's name is in parentheses and may hold any character, so look for the last parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
