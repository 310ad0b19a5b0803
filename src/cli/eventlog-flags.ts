import { Flags } from '@oclif/core'
import type { EventlogFormat } from '../inspect/index.ts'
import { UsageError } from './usage-error.ts'

/** Flags that say how events are printed. */
export const eventlogFlags = {
  unformatted: Flags.boolean({
    char: 'u',
    summary: 'print events as RFC 18 has them: an object a line',
    helpGroup: 'OUTPUT',
  }),
  human: Flags.boolean({
    char: 'H',
    summary: 'print times as the day and the minute, and seconds from there',
    helpGroup: 'OUTPUT',
  }),
  color: Flags.string({
    char: 'L',
    summary: 'colour the output: always (when WHEN is left out), never or auto (default)',
    helpValue: 'WHEN',
    options: ['always', 'never', 'auto'],
    helpGroup: 'OUTPUT',
  }),
}

/** How events are printed, as the flags say. @throws {UsageError} flags that do not go together */
export function eventlogFormat(flags: {
  unformatted: boolean
  human: boolean
  color?: string | undefined
}): EventlogFormat {
  const { unformatted, human, color } = flags
  if (unformatted && (human || color === 'always')) {
    throw new UsageError('Do not specify --unformatted with --human or --color=always')
  }
  return { unformatted, human, color: usesColor(color), printable: process.stdout.isTTY === true }
}

/** NO_COLOR turns colours off where nothing is said. @see https://no-color.org */
function usesColor(when: string | undefined): boolean {
  if (when === 'always') return true
  if (when === 'never' || (when === undefined && process.env.NO_COLOR)) return false
  return process.stdout.isTTY === true
}

/** `--color` and `-L` may stand without a value, which oclif's flags cannot. */
export function withColorAlone(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  return argv.map((arg, i) => {
    if (end !== -1 && i > end) return arg
    if (arg === '--color') return '--color=always'
    return /^-[A-KMO-Za-bd-su-z]*L$/.test(arg) ? `${arg}always` : arg
  })
}
