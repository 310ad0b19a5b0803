/** How much a command prints on stderr. */
export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** True when stderr is a terminal that can show changing text, and the user wants neither less nor more. */
export function isLive(verbosity: Verbosity): boolean {
  return verbosity === 'normal' && process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !process.env.CI
}
