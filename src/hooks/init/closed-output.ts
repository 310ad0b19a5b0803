import type { Hook } from '@oclif/core'
import { FluxError } from '../../errors/index.ts'
import { isOurCommand, isOurTool } from '../ours.ts'

/** The listeners are added once, because a host may run many commands in one process. */
let isWatched = false

/**
 * Exit when standard output cannot be written: without a message if its reader has closed it (`… | head`), otherwise
 * with one line. When standard error cannot be written, the command goes on, because the result does not depend on it.
 *
 * This does not apply to an archive on standard output: its sink writes to the file descriptor, and cleans up first.
 */
const closedOutput: Hook.Init = async ({ config, id }) => {
  if (isWatched || !(isOurTool(config) || isOurCommand(config, id))) return
  isWatched = true
  // Before the listener of oclif, which throws, so that a stack trace would be printed.
  process.stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      const called = [config.bin, ...(id?.split(':') ?? [])].join(' ')
      process.stderr.write(`${called}: ${FluxError.fromSystem(error, 'cannot write standard output').message}\n`)
    }
    process.exit(1)
  })
  process.stderr.on('error', () => {})
}

export default closedOutput
