import { Errors, type Hook, type Interfaces } from '@oclif/core'
import { EXIT, errorJson, escapedJson, unknownCommand, unknownCommandText } from '../../cli/index.ts'
import { isOurTool, isOurTopic, PLUGIN } from '../ours.ts'

/**
 * Report an unknown command with a suggestion, and exit with status 2. It does not ask a question, because a script
 * cannot answer.
 *
 * In a host this hook handles only words below the topic `flux`. Other unknown words fail as they would without this
 * hook.
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

/**
 * Fail as if this hook did not exist. It must not return: oclif takes a hook that returns for one that has succeeded.
 */
function leaveItTo(config: Interfaces.Config, id: string): never {
  const others = [...config.plugins.values()].filter((plugin) => plugin.name !== PLUGIN)
  const message = `command ${id} not found`
  // oclif ignores an error without an exit status if another hook succeeds.
  if (others.some((plugin) => plugin.hooks.command_not_found)) throw new Error(message)
  throw new Errors.CLIError(message)
}

export default suggest
