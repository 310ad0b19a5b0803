import type { LiveInstance } from '../content/index.ts'

/** systemd waits about ten seconds from one status to the next. */
const PERIOD_MS = 1000

/**
 * Send the status to a live instance every second, if it has changed (`--sd-notify`). The instance passes it on to
 * systemd, which otherwise takes a long shutdown for a stuck one.
 *
 * @param listener - the instance; without `notifyStatus` nothing is sent
 * @param status - returns the status, one line
 * @returns a function that sends the last status and ends this
 * @see flux-core `src/cmd/builtin/dump.c`; sd_notify(3)
 */
export function keepNotified(
  listener: Partial<Pick<LiveInstance, 'notifyStatus'>>,
  status: () => string,
): () => Promise<void> {
  let last: string | undefined
  const tell = async () => {
    const text = status()
    if (text === last) return
    last = text
    // An unsent status is not an error. If the connection is lost, the work itself fails.
    await listener.notifyStatus?.(text).catch(() => {})
  }
  const timer = setInterval(tell, PERIOD_MS)
  return () => {
    clearInterval(timer)
    return tell()
  }
}
