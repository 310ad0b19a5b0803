/**
 * What oclif takes for granted: that the user has a home directory and a shell. It fails with a stack trace for a user
 * without an entry in the user database, as in many containers. `bin/run.js` calls this before it loads oclif.
 */
import { homedir, userInfo } from 'node:os'

/** Debian's name for a home directory that is not there: nothing is read from it, and nothing can be written to it. */
const NO_HOME = '/nonexistent'

/** Set `HOME` and `SHELL` where neither the environment nor the user database says what they are. */
export function fillInMissingHome(env: NodeJS.ProcessEnv = process.env): void {
  if (!env.HOME) {
    // Node.js would take an empty one as it is.
    delete env.HOME
    const home = known(homedir)
    if (!home) env.HOME = NO_HOME
  }
  if (env.SHELL === undefined && known(userInfo) === undefined) env.SHELL = '/bin/sh'
}

function known<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch {
    return undefined
  }
}
