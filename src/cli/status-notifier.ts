import type { LiveInstance } from '../content/index.ts'

/** systemd waits some ten seconds from one status to the next. */
const PERIOD_MS = 1000

/**
 * Tell a live instance now and then how far things are, as long as they move (`--sd-notify`). The instance passes it on to
 * systemd, which otherwise takes a long shutdown for a stuck one.
 *
 * @param status - what to tell
 * @returns ends it, with the last status told
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
    // Nobody is to fail because nobody listens. If the connection is lost, the work itself says so.
    await listener.notifyStatus?.(text).catch(() => {})
  }
  const timer = setInterval(tell, PERIOD_MS)
  return () => {
    clearInterval(timer)
    return tell()
  }
}
