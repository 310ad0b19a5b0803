import { Errors, type Hook, type Interfaces } from '@oclif/core'
import { EXIT, errorJson, escapedJson, unknownCommand, unknownCommandText } from '../../cli/index.ts'
import { isOurTool, isOurTopic, PLUGIN } from '../ours.ts'

/**
 * Say that there is no such command, and which one may have been meant; exit status 2. It asks nothing: in a script
 * nobody would answer.
 *
 * In a host the word is its own, unless it is below `flux`. There, whatever would have happened without this hook happens.
 */
const suggest: Hook.CommandNotFound = async function ({ config, id, argv = [] }) {
  if (!isOurTool(config) && !isOurTopic(config, id)) leaveItTo(config, id)
  const error = unknownCommand([...id.split(':'), ...argv], config)
  if ([...argv, ...process.argv].includes('--json')) {
    process.stdout.write(`${escapedJson(JSON.stringify(errorJson(error), undefined, 2))}\n`)
  } else {
    process.stderr.write(unknownCommandText(error, config))
  }
  this.exit(EXIT.USAGE)
}

/** Fail as if this hook were not there: oclif takes any hook that returns for one that has done what is to be done. */
function leaveItTo(config: Interfaces.Config, id: string): never {
  const others = [...config.plugins.values()].filter((plugin) => plugin.name !== PLUGIN)
  const message = `command ${id} not found`
  // An error without an exit status counts only when no other hook does anything.
  if (others.some((plugin) => plugin.hooks.command_not_found)) throw new Error(message)
  throw new Errors.CLIError(message)
}

export default suggest
