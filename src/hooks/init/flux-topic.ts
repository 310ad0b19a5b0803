import type { Command, Hook, Interfaces } from '@oclif/core'
import { PLUGIN } from '../ours.ts'

/** Every command of this package is there a second time below this topic. */
const TOPIC = 'flux'

/**
 * The topic `flux` has each command of this package again, for hosts that have their own of the same name. It is in no
 * listing, or each command would be there twice, but for those that the host has its own of. Who types it gets help as for
 * any other topic.
 *
 * Help is shown by oclif, with the config at hand; or by the command `help`, with a config that is made of the same plugins
 * once more. So both are changed: what is in the config, and the plugin that it came from.
 */
const fluxTopic: Hook.Init = async ({ config, id, argv }) => {
  const words = [...(id?.split(':') ?? []), ...argv].filter((word) => !word.startsWith('-'))
  const [first, ...rest] = words[0] === 'help' ? words.slice(1).flatMap((word) => word.split(':')) : words
  const isListing = id === undefined || words[0] === 'help' || [id, ...argv].some(isHelpFlag)
  if (first === TOPIC && !config.findCommand([first, ...rest].join(':'))) show(config, ours(config))
  else if (first === undefined && isListing) showClashes(config)
}

type Parts = Pick<Interfaces.Plugin, 'commands'> & Pick<Interfaces.OclifConfiguration, 'topics'>

/** Put a changed plugin in the place of ours, in this config alone: a host may run many commands in one process. */
function change({ plugins }: Interfaces.Config, changed: (parts: Parts) => Parts): void {
  const plugin = plugins.get(PLUGIN)
  if (!plugin) return
  const { pjson } = plugin
  const { commands, topics = {} } = changed({ commands: plugin.commands, topics: pjson.oclif.topics ?? {} })
  const own = { commands, pjson: { ...pjson, oclif: { ...pjson.oclif, topics } } }
  // All else it has from the one that it was.
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

/** Leave in listings what the host has its own of, and take out the rest, which some listings have although it is hidden. */
function showClashes(config: Interfaces.Config): void {
  const clashing = ours(config).filter(({ id }) => config.findCommand(short(id))?.pluginName !== PLUGIN)
  change(config, ({ commands, topics }) => ({
    commands: commands.map((command) => ({ ...command, hiddenAliases: [] })),
    topics: Object.fromEntries(Object.entries(topics ?? {}).filter(([name]) => name !== TOPIC)),
  }))
  const names = clashing.map(({ id }) => short(id).replaceAll(':', config.topicSeparator))
  show(config, clashing, `What ${PLUGIN} has, and ${config.bin} has its own of: ${names.join(', ')}`)
}

/** Have commands in listings, with the topics that they are in. @param description - of the topic itself */
function show(config: Interfaces.Config, commands: readonly Command.Loadable[], description?: string): void {
  if (commands.length === 0) return
  for (const command of commands) command.hidden = false
  const shown = topicsOf(commands, config.plugins.get(PLUGIN)?.topics ?? [], description)
  change(config, (parts) => ({
    // Before those whose second names they are: the first one of a name counts.
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

/** The topics that commands are in. A command is one too: otherwise oclif takes the topic that it is in for an empty one. */
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
