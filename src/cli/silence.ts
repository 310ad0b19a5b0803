import { Flags } from '@oclif/core'
import type { OpenBrokerOptions } from '../content/index.ts'
import { parseDuration } from './duration.ts'

const DEFAULT_SECONDS = 60
const NOTICE_MS = 10_000

/** How long a live instance may be silent. @param helpGroup - beside the flag that names the instance */
export function timeoutFlag(helpGroup: string) {
  return Flags.string({
    summary: `give up when a live instance has sent nothing for DURATION (default: ${DEFAULT_SECONDS}s; inf: never)`,
    description:
      'Anything that comes counts, so that one that is slow is waited for. Seconds, or a number with ms, s, m, h or d. What waits for a change, as a watch does, waits for ever.',
    helpValue: 'DURATION',
    helpGroup,
  })
}

/**
 * What to do about a live instance that is silent: after ten seconds, or half of the timeout, a warning; then the end.
 *
 * @param timeout - of {@link timeoutFlag}
 * @throws {UsageError} it is not a duration
 */
export function silenceOptions(
  timeout: string | undefined,
  onWarning?: (message: string, kind: string) => void,
): Pick<OpenBrokerOptions, 'silenceTimeoutMs' | 'silenceNoticeMs' | 'onSilence'> {
  const silenceTimeoutMs =
    (timeout === undefined ? DEFAULT_SECONDS * 1000 : parseDuration(timeout, 'timeout')) || Number.POSITIVE_INFINITY
  const onSilence = onWarning && ((message: string) => onWarning(message, 'silent instance'))
  return { silenceTimeoutMs, silenceNoticeMs: Math.min(NOTICE_MS, silenceTimeoutMs / 2), onSilence }
}
