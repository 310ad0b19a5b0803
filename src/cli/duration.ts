import { UsageError } from './usage-error.ts'

const SCALES: Readonly<Record<string, number>> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Milliseconds of a duration (RFC 23): seconds, also fractions, or a number with a unit; `inf` is Infinity.
 *
 * @returns undefined when the text is not a duration
 */
export function durationMs(text: string): number | undefined {
  if (/^inf(inity)?$/i.test(text)) return Number.POSITIVE_INFINITY
  const [, number, unit] = /^((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(ms|[smhd]?)$/i.exec(text) ?? []
  const scale = SCALES[unit ?? 'none']
  return number === undefined || scale === undefined ? undefined : Number(number) * scale
}

/**
 * Parse a duration as Flux's tools do: see {@link durationMs}.
 *
 * @returns milliseconds; undefined for ever
 * @throws {UsageError} the text is not a duration
 */
export function parseDuration(text: string, flag: string): number | undefined {
  const ms = durationMs(text)
  if (ms === undefined) {
    throw new UsageError(`Invalid argument for option '${flag}': '${text}'`, 'examples of durations: 10, 1.5m, 2h')
  }
  return ms === Number.POSITIVE_INFINITY ? undefined : ms
}
