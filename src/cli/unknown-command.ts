/** The error for words that are not a command. */
import { type Interfaces, toConfiguredId } from '@oclif/core'
import { messageLine, shellWord } from '../errors/index.ts'
import { errorLine } from './exit-status.ts'
import { nearest } from './nearest.ts'
import { UsageError } from './usage-error.ts'
import { usageLines } from './usage-lines.ts'

/** Commands of flux that change something. This tool has the same topics, but not these commands. */
const FLUX_COMMANDS = [
  'kvs:put',
  'kvs:unlink',
  'kvs:link',
  'kvs:mkdir',
  'kvs:copy',
  'kvs:move',
  'kvs:sync',
  'kvs:eventlog:append',
  'kvs:namespace:create',
  'kvs:namespace:remove',
  'content:store',
  'content:flush',
  'content:dropcache',
  'content:checkpoint:update',
]

/**
 * The error for words that are not a command, with a suggestion.
 *
 * @param words - all words after the name of the tool
 */
export function unknownCommand(words: readonly string[], config: Interfaces.Config): UsageError {
  if (words[0]?.startsWith('-')) return misplaced(words, config)
  const flux = fluxCommand(words)
  if (flux !== undefined) {
    const name = flux.replaceAll(':', ' ')
    return new UsageError(`${name}: ${config.bin} ${flux.split(':')[0]} only reads`, `use 'flux ${name}'`)
  }
  const ids = config.commands.filter(({ hidden }) => !hidden).map(({ id }) => id)
  const meant = nearest(words, ids)
  const hint = meant === undefined ? undefined : `did you mean '${config.bin} ${toConfiguredId(meant, config)}'?`
  return new UsageError(`${unknownPart(words, config)}: no such command`, hint)
}

/** An error of {@link unknownCommand} as it is printed, with the usage of the tool. */
export function unknownCommandText(error: UsageError, { bin }: Interfaces.Config): string {
  return `${bin}: ${messageLine(errorLine(error))}\n${usageLines(`${bin} COMMAND [OPTIONS] ...`, `${bin} help`)}`
}

/** The error for a flag before the command. */
function misplaced(words: readonly string[], config: Interfaces.Config): UsageError {
  const message = `${words[0]}: the command comes first`
  for (let i = 1; i < words.length; i++) {
    const found = commandAt(words, i, config)
    if (found === undefined) continue
    const { id, length } = found
    const before = words[i - 1] as string
    const flag = Object.values(config.findCommand(id)?.flags ?? {}).find(
      ({ name, char }) => before === `--${name}` || before === `-${char}`,
    )
    // Then the word is the value of the flag.
    if (flag?.type === 'option') continue
    const rest = [...words.slice(0, i), ...words.slice(i + length)].map(shellWord)
    return new UsageError(message, `try: ${[config.bin, toConfiguredId(id, config), ...rest].join(' ')}`)
  }
  return new UsageError(message)
}

/** The longest command name that begins at a word. */
function commandAt(words: readonly string[], at: number, config: Interfaces.Config) {
  for (let length = Math.min(words.length - at, 4); length > 0; length--) {
    const id = words.slice(at, at + length).join(':')
    if (config.findCommand(id)) return { id, length }
  }
  return undefined
}

function fluxCommand(words: readonly string[]): string | undefined {
  const id = (words[0] === 'flux' ? words.slice(1) : words).join(':')
  return FLUX_COMMANDS.find((command) => id === command || id.startsWith(`${command}:`))
}

/** The leading words that are topics, and the first word that is not. */
function unknownPart(words: readonly string[], config: Interfaces.Config): string {
  let known = 0
  while (known < words.length - 1 && config.findTopic(words.slice(0, known + 1).join(':'))) known++
  return words.slice(0, known + 1).join(config.topicSeparator)
}
