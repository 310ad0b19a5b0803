import { Errors, type Hook, type Interfaces, toConfiguredId } from '@oclif/core'
import { isOurTool, PLUGIN } from '../ours.ts'

/** Letters that may differ before a command is no longer what somebody meant. */
const NEAR = 3

/**
 * Say that there is no such command, and which one may have been meant; exit status 2. It asks nothing: in a script
 * nobody would answer.
 *
 * In a host the word is its own. There, whatever would have happened without this hook happens.
 */
const suggest: Hook.CommandNotFound = async function ({ config, id, argv = [] }) {
  if (!isOurTool(config)) leaveItTo(config, id)
  const command = nearest(id, config)
  const words = command === undefined ? [] : [`did you mean '${config.bin} ${toConfiguredId(command, config)}'?`]
  words.push(`'${config.bin} help' lists all commands`)
  const message = `${toConfiguredId(id, config)}: no such command`
  const hint = words.join(' ')
  if ([...argv, ...process.argv].includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code: 'EINVAL', message, hint, exit: 2 } }, undefined, 2)}\n`)
  } else {
    process.stderr.write(`${config.bin}: ${message}; ${hint}\n`)
  }
  this.exit(2)
}

/** Fail as if this hook were not there: oclif takes any hook that returns for one that has done what is to be done. */
function leaveItTo(config: Interfaces.Config, id: string): never {
  const others = [...config.plugins.values()].filter((plugin) => plugin.name !== PLUGIN)
  const message = `command ${id} not found`
  // An error without an exit status counts only when no other hook does anything.
  if (others.some((plugin) => plugin.hooks.command_not_found)) throw new Error(message)
  throw new Errors.CLIError(message)
}

/** The command that is most like what was asked for, its words beyond the command's not counted. */
function nearest(id: string, config: Interfaces.Config): string | undefined {
  const words = id.split(':')
  let best: { id: string; distance: number } | undefined
  for (const command of config.commands) {
    if (command.hidden) continue
    const asked = words.slice(0, command.id.split(':').length).join(':')
    const distance = editDistance(asked, command.id)
    if (distance <= NEAR && distance < command.id.length / 2 && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { id: command.id, distance }
  }
  return best?.id
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      next.push(
        Math.min((row[j] as number) + (letter === b[j] ? 0 : 1), (row[j + 1] as number) + 1, (next[j] as number) + 1),
      )
    }
    row = next
  }
  return row[b.length] as number
}

export default suggest
