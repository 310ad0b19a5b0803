/** What can be typed, as the completion scripts need it: the commands of a tool, as oclif knows them. */
import type { Command, Interfaces } from '@oclif/core'

/** What stands in a place: files, directories, keys of the KVS, one of a few words, or something nobody can guess. */
export type Value = 'file' | 'directory' | 'key' | 'any' | readonly string[]

export interface FlagGrammar {
  /** `--store`, or `-N`: all the ways to give it. */
  readonly names: readonly string[]
  readonly summary: string
  /** Undefined for a flag that takes none. */
  readonly value: Value | undefined
  /** The value's name in help. */
  readonly placeholder: string
  readonly multiple: boolean
}

export interface ArgGrammar {
  readonly name: string
  readonly value: Value
  readonly multiple: boolean
}

/** A command, or a topic that commands are under. */
export interface Node {
  /** The words that lead here, none for the tool itself. */
  readonly path: readonly string[]
  readonly summary: string
  /** Completed when somebody has typed it, but not offered. */
  readonly hidden: boolean
  readonly children: readonly Node[]
  readonly flags: readonly FlagGrammar[]
  readonly args: readonly ArgGrammar[]
}

/**
 * Everything that a tool's commands take. Hidden ones are left out, but for those that are other names of commands.
 *
 * In a host, keys are anything: it does not know the word by which the scripts ask for them, and what it does with a word
 * that it does not know may take long.
 */
export function grammarOf(config: Interfaces.Config): Node {
  const commands = config.commands.filter(
    (command) => (!command.hidden && !command.aliases.includes(command.id)) || isOtherName(command),
  )
  const root = nodeAt([], commands, config)
  // The tool is ours, whatever its name, when this command is its own.
  return config.findCommand('completion')?.pluginName === config.name ? root : withoutKeys(root)
}

function withoutKeys(node: Node): Node {
  const plain = <T extends { readonly value: Value | undefined }>(item: T): T =>
    item.value === 'key' ? { ...item, value: 'any' } : item
  return {
    ...node,
    children: node.children.map(withoutKeys),
    flags: node.flags.map(plain),
    args: node.args.map(plain),
  }
}

/** A node and all nodes below it. */
export function allNodes(node: Node): Node[] {
  return [node, ...node.children.flatMap(allNodes)]
}

/** The words that follow those of a node, and are offered. */
export function offered({ children }: Node): Node[] {
  return children.filter(({ hidden }) => !hidden)
}

function isOtherName({ id, hiddenAliases }: Command.Loadable): boolean {
  return hiddenAliases.includes(id)
}

function nodeAt(path: string[], commands: readonly Command.Loadable[], config: Interfaces.Config): Node {
  const id = path.join(':')
  const command = commands.find((candidate) => candidate.id === id)
  const below = commands.filter((candidate) => id === '' || candidate.id.startsWith(`${id}:`))
  const names = new Set(below.map((candidate) => candidate.id.split(':')[path.length] as string))
  const summary = command?.summary ?? command?.description ?? config.topics.find(({ name }) => name === id)?.description
  return {
    path,
    // What a plugin of oclif's own says of itself names the tool.
    summary: oneLine(summary).replaceAll('<%= config.bin %>', config.bin),
    hidden: path.length === 1 && [...(command ? [command] : []), ...below].every(isOtherName),
    children: [...names].sort().map((name) => nodeAt([...path, name], below, config)),
    flags: Object.values(command?.flags ?? {})
      .filter(({ hidden }) => !hidden)
      .map(flagGrammar),
    args: Object.values(command?.args ?? {})
      .filter(({ hidden }) => !hidden)
      .map(argGrammar),
  }
}

function flagGrammar(flag: Command.Flag.Cached): FlagGrammar {
  const names = [`--${flag.name}`]
  if (flag.char) names.unshift(`-${flag.char}`)
  const summary = oneLine(flag.summary ?? flag.description)
  if (flag.type === 'boolean') {
    if (flag.allowNo) names.push(`--no-${flag.name}`)
    return { names, summary, value: undefined, placeholder: '', multiple: false }
  }
  const placeholder = String(flag.helpValue ?? flag.name)
  const value = flag.options ?? valueNamed(placeholder)
  return { names, summary, value, placeholder, multiple: flag.multiple === true }
}

function argGrammar({ name, options, multiple }: Command.Arg.Cached): ArgGrammar {
  return { name, value: options ?? valueNamed(name), multiple: multiple === true }
}

/** What a value's name in help says of it. */
function valueNamed(placeholder: string): Value {
  const name = placeholder.toUpperCase()
  if (/(FILE|PATH|ARCHIVE|STORE)S?$/.test(name)) return 'file'
  if (/(DIR|DIRECTORY)$/.test(name)) return 'directory'
  return /^KEYS?$/.test(name) ? 'key' : 'any'
}

function oneLine(text: string | undefined): string {
  return (text ?? '').split('\n', 1)[0] as string
}
