import type { Hook } from '@oclif/core'
import { isOurCommand, isOurTool } from '../ours.ts'

/** A host may run many commands in one process. */
let isWatched = false

/**
 * Whoever reads standard output has had enough (`… | head`): end, without a word. Whoever read standard error does not
 * read it any more: the work goes on.
 *
 * An archive on standard output does not come by here: its sink writes to the descriptor, and cleans up first.
 */
const closedOutput: Hook.Init = async ({ config, id }) => {
  if (isWatched || !(isOurTool(config) || isOurCommand(config, id))) return
  isWatched = true
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(1)
  })
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

export default closedOutput
