import { UsageError } from './usage-error.ts'

const SCALES: Readonly<Record<string, number>> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Parse a duration as Flux's tools do (RFC 23): seconds, also fractions, or a number with a unit; `inf` is for ever.
 *
 * @returns milliseconds; undefined for ever
 * @throws {UsageError} the text is not a duration
 */
export function parseDuration(text: string, flag: string): number | undefined {
  if (/^inf(inity)?$/i.test(text)) return undefined
  const [, number, unit] = /^((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(ms|[smhd]?)$/i.exec(text) ?? []
  const scale = SCALES[unit ?? 'none']
  if (number !== undefined && scale !== undefined) return Number(number) * scale
  throw new UsageError(`Invalid argument for option '${flag}': '${text}'`, 'examples of durations: 10, 1.5m, 2h')
}
