import type { Command, Hook, Interfaces } from '@oclif/core'
import { PLUGIN } from '../ours.ts'

/** Every command of this package has a second name below this topic. */
const TOPIC = 'flux'

/**
 * Below the topic `flux`, each command of this package has a second name, for hosts that have a command of the same
 * name. Listings show only the second names of such commands, because otherwise each command would be listed twice.
 * `flux --help` shows help, as for any other topic.
 *
 * oclif shows help with the current config. The command `help` makes a new config from the same plugins. So this hook
 * changes both: the config, and the plugin in it.
 */
const fluxTopic: Hook.Init = async ({ config, id, argv }) => {
  const words = [...(id?.split(':') ?? []), ...argv].filter((word) => !word.startsWith('-'))
  const [first, ...rest] = words[0] === 'help' ? words.slice(1).flatMap((word) => word.split(':')) : words
  const isListing = id === undefined || words[0] === 'help' || [id, ...argv].some(isHelpFlag)
  if (first === TOPIC && !config.findCommand([first, ...rest].join(':'))) show(config, ours(config))
  else if (first === undefined && isListing) showClashes(config)
}

type Parts = Pick<Interfaces.Plugin, 'commands'> & Pick<Interfaces.OclifConfiguration, 'topics'>

/** Replace our plugin by a changed one, only in this config: a host may run many commands in one process. */
function change({ plugins }: Interfaces.Config, changed: (parts: Parts) => Parts): void {
  const plugin = plugins.get(PLUGIN)
  if (!plugin) return
  const { pjson } = plugin
  const { commands, topics = {} } = changed({ commands: plugin.commands, topics: pjson.oclif.topics ?? {} })
  const own = { commands, pjson: { ...pjson, oclif: { ...pjson.oclif, topics } } }
  // It inherits all other members from the original plugin.
  plugins.set(PLUGIN, Object.create(plugin, Object.getOwnPropertyDescriptors(own)))
}

function isHelpFlag(word: string): boolean {
  return word === '--help' || word === '-h'
}

/** Our commands by their second names. */
function ours({ commands }: Interfaces.Config): Command.Loadable[] {
  return commands.filter(({ id, pluginName }) => pluginName === PLUGIN && id.startsWith(`${TOPIC}:`))
}

/** A command's id without the topic. */
function short(id: string): string {
  return id.slice(TOPIC.length + 1)
}

/**
 * Show in listings the commands that the host has too. Remove the others, because some listings show hidden commands.
 */
function showClashes(config: Interfaces.Config): void {
  const clashing = ours(config).filter(({ id }) => config.findCommand(short(id))?.pluginName !== PLUGIN)
  change(config, ({ commands, topics }) => ({
    commands: commands.map((command) => ({ ...command, hiddenAliases: [] })),
    topics: Object.fromEntries(Object.entries(topics ?? {}).filter(([name]) => name !== TOPIC)),
  }))
  const names = clashing.map(({ id }) => short(id).replaceAll(':', config.topicSeparator))
  show(config, clashing, `What ${PLUGIN} has, and ${config.bin} has its own of: ${names.join(', ')}`)
}

/** Show commands in listings, with their topics. @param description - description of the topic `flux` */
function show(config: Interfaces.Config, commands: readonly Command.Loadable[], description?: string): void {
  if (commands.length === 0) return
  for (const command of commands) command.hidden = false
  const shown = topicsOf(commands, config.plugins.get(PLUGIN)?.topics ?? [], description)
  change(config, (parts) => ({
    // In front of the original commands, because oclif uses the first command of a name.
    commands: [...commands.map((command) => ({ ...command, hiddenAliases: [] })), ...parts.commands],
    topics: { ...parts.topics, ...Object.fromEntries(shown.map((topic) => [topic.name, topic])) },
  }))
  for (const topic of shown) {
    const known = config.findTopic(topic.name)
    // oclif gives out only copies of its list. Its public way, to read plugins again, repeats each warning of a broken one.
    if (known === undefined) (config as { _topics?: Map<string, Interfaces.Topic> })._topics?.set(topic.name, topic)
    else Object.assign(known, topic)
  }
}

/**
 * The topics of commands. A command is a topic too: otherwise oclif takes the topic that contains it for an empty one.
 */
function topicsOf(
  commands: readonly Command.Loadable[],
  known: readonly Interfaces.Topic[],
  description: string | undefined,
): Topic[] {
  const described = (name: string) => known.find((topic) => topic.name === name)?.description
  const topics = new Map<string, Topic>()
  const add = (name: string, text: string | undefined) =>
    topics.set(name, { name, hidden: false, ...(text === undefined ? {} : { description: text }) })
  add(TOPIC, description ?? described(TOPIC))
  for (const { id, summary } of commands) {
    add(id, summary)
    for (let name = parent(id); name !== TOPIC; name = parent(name)) add(name, described(short(name)))
  }
  return [...topics.values()]
}

interface Topic {
  name: string
  hidden: boolean
  description?: string
}

function parent(id: string): string {
  return id.slice(0, id.lastIndexOf(':'))
}

export default fluxTopic
