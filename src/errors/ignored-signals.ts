/**
 * Signals that were ignored when the process started (by `nohup`, or by `trap '' INT` in a shell) and must stay
 * ignored. Node resets all signals to their defaults when it starts. So `bin/run.js` reads the mask before that and
 * passes it on.
 */

/** Linux numbers of the signals that end a process and that a user may have reason to ignore. */
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const

const kept = new Set<NodeJS.Signals>()

/** Keep ignoring signals. @param mask - `SigIgn` of proc_pid_status(5): hexadecimal, bit 0 is signal 1 */
export function keepIgnored(mask: string): void {
  if (!/^[0-9a-f]{1,16}$/.test(mask)) return
  const bits = BigInt(`0x${mask}`)
  for (const [name, number] of Object.entries(NUMBERS)) {
    if ((bits & (1n << BigInt(number - 1))) === 0n) continue
    kept.add(name as NodeJS.Signals)
    // Without a handler the signal would end the process.
    process.on(name, () => {})
  }
}

/** The signals that {@link keepIgnored} ignores. Child processes do not inherit this: Node resets their signals too. */
export function ignoredSignals(): ReadonlySet<NodeJS.Signals> {
  return kept
}
