/**
 * The name of a process that no other process ever has: a pid is used again, but not with the same start time, on the
 * same boot of the same machine. A file name can hold it, so that a file which a killed process left is known as such.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'

/** What a text of {@link processId} looks like. */
const PROCESS_ID = /^([1-9]\d{0,6})-(\d{1,20})-([0-9a-f]{16})$/

let own: string | undefined | null = null

/**
 * This process: pid, start time and, hashed, the boot and the pid namespace in which these mean something.
 *
 * @returns undefined where /proc does not say
 * @see proc_pid_stat(5) `starttime`; pid_namespaces(7)
 */
export function processId(): string | undefined {
  if (own === null) own = findOwn()
  return own
}

/** True when `id` names a process of this boot and this pid namespace that has ended; false in any doubt. */
export function isOver(id: string): boolean {
  const [, pid, start, where] = PROCESS_ID.exec(id) ?? []
  if (pid === undefined || where === undefined || where !== processId()?.split('-')[2]) return false
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    // EPERM: there is such a process, of another user.
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

/** Clock ticks from the boot to the start of a process. */
function startTime(pid: string): string | undefined {
  try {
    // The name of the program, in parentheses, may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
