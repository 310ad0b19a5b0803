/**
 * oclif needs a home directory and a shell. It fails with a stack trace for a user without an entry in the user
 * database, as in many containers. `bin/run.js` calls this before it loads oclif.
 */
import { homedir, userInfo } from 'node:os'

/** Debian's name for a missing home directory. Nothing can be read from it or written to it. */
const NO_HOME = '/nonexistent'

/** Set `HOME` and `SHELL` if neither the environment nor the user database has them. */
export function fillInMissingHome(env: NodeJS.ProcessEnv = process.env): void {
  if (!env.HOME) {
    // Node.js would use an empty HOME as it is.
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
