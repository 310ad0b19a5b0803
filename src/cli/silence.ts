import type { OpenBrokerOptions } from '../content/index.ts'
import { parseDuration } from './duration.ts'

/** When `--timeout` does not say otherwise. */
export const DEFAULT_SECONDS = 60
const NOTICE_MS = 10_000

/**
 * What to do about a live instance that is silent: after ten seconds, or half of the timeout, a warning; then the end.
 *
 * @param timeout - a duration
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
