import { Flags } from '@oclif/core'
import type { EventlogFormat } from '../inspect/index.ts'
import { UsageError } from './usage-error.ts'

/** Flags for the format of events. */
export const eventlogFlags = {
  unformatted: Flags.boolean({
    char: 'u',
    summary: 'print each event as a JSON object on one line, as RFC 18 stores it',
    helpGroup: 'OUTPUT',
  }),
  human: Flags.boolean({
    char: 'H',
    summary: 'print day and minute when the minute changes, otherwise the seconds since then',
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

/** The format that the flags ask for. @throws {UsageError} flags contradict each other */
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

/** NO_COLOR turns colours off unless `--color` is given. @see https://no-color.org */
function usesColor(when: string | undefined): boolean {
  if (when === 'always') return true
  if (when === 'never' || (when === undefined && process.env.NO_COLOR)) return false
  return process.stdout.isTTY === true
}

/** Add the value `always` to `--color` and `-L` without one. oclif's flags cannot have an optional value. */
export function withColorAlone(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  return argv.map((arg, i) => {
    if (end !== -1 && i > end) return arg
    if (arg === '--color') return '--color=always'
    return /^-[A-KMO-Za-bd-su-z]*L$/.test(arg) ? `${arg}always` : arg
  })
}
