/** How much a person wants to see. */
export type Verbosity = 'quiet' | 'normal' | 'verbose'

/** True when stderr is a terminal that can show things changing. */
export function isLive(verbosity: Verbosity): boolean {
  return verbosity === 'normal' && process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !process.env.CI
}
