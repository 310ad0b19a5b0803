/**
 * Signals that were ignored when the process was started, by `nohup` or by `trap '' INT` in a shell, and are to stay so.
 * Node sets all to their defaults as it starts, so `bin/run.js` finds them out before that, and says which.
 */

/** Numbers on Linux of those that end a process and that anybody has reason to ignore. */
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const

const kept = new Set<NodeJS.Signals>()

/** Go on ignoring signals. @param mask - `SigIgn` of proc_pid_status(5): hexadecimal, bit 0 is signal 1 */
export function keepIgnored(mask: string): void {
  if (!/^[0-9a-f]{1,16}$/.test(mask)) return
  const bits = BigInt(`0x${mask}`)
  for (const [name, number] of Object.entries(NUMBERS)) {
    if ((bits & (1n << BigInt(number - 1))) === 0n) continue
    kept.add(name as NodeJS.Signals)
    // Without a handler it would end the process.
    process.on(name, () => {})
  }
}

/** Those that {@link keepIgnored} keeps. Programs that are started hear them all the same: Node sees to that, too. */
export function ignoredSignals(): ReadonlySet<NodeJS.Signals> {
  return kept
}
