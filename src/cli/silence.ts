import type { OpenBrokerOptions } from '../content/index.ts'
import { parseDuration } from './duration.ts'

/** The default of `--timeout`. */
export const DEFAULT_SECONDS = 60
const NOTICE_MS = 10_000

/**
 * Options for a live instance that does not answer: a warning after ten seconds or half of the timeout, whichever is
 * less, and failure after the timeout.
 *
 * @param timeout - a duration; 0 waits for ever
 * @throws {UsageError} `timeout` is not a duration
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
