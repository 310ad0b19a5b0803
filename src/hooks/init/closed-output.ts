import type { Hook } from '@oclif/core'
import { FluxError } from '../../errors/index.ts'
import { isOurCommand, isOurTool } from '../ours.ts'

/** A host may run many commands in one process. */
let isWatched = false

/**
 * When standard output cannot be written, end: without a word where nobody reads any more (`… | head`), else with one line.
 * When standard error cannot, whatever the reason, the work goes on: what it is for is not there to be read.
 *
 * An archive on standard output does not come by here: its sink writes to the descriptor, and cleans up first.
 */
const closedOutput: Hook.Init = async ({ config, id }) => {
  if (isWatched || !(isOurTool(config) || isOurCommand(config, id))) return
  isWatched = true
  // Before oclif, which throws: that would be a stack trace.
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
