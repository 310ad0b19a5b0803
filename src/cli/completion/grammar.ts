/** The commands of a tool with their flags and arguments, in the form that the completion scripts need. */
import type { Command, Interfaces } from '@oclif/core'

/** What a value is: a file, a directory, a KVS key, a job id, one of a few words, or anything else. */
export type Value = 'file' | 'directory' | 'key' | 'jobid' | 'any' | readonly string[]

export interface FlagGrammar {
  /** All spellings: `--namespace`, `-N`. */
  readonly names: readonly string[]
  readonly summary: string
  /** Undefined for a flag without a value. */
  readonly value: Value | undefined
  /** The name of the value in help. */
  readonly placeholder: string
  readonly multiple: boolean
}

export interface ArgGrammar {
  readonly name: string
  readonly value: Value
  readonly multiple: boolean
}

/** A command, or a topic that contains commands. */
export interface Node {
  /** The words of the command or topic; none for the tool itself. */
  readonly path: readonly string[]
  readonly summary: string
  /** True for a word that is not offered; what follows it is completed all the same. */
  readonly hidden: boolean
  readonly children: readonly Node[]
  readonly flags: readonly FlagGrammar[]
  readonly args: readonly ArgGrammar[]
}

/**
 * The grammar of all commands of a tool. Hidden commands are left out, except those that are second names of commands.
 *
 * In a host, keys and job ids are not completed: the scripts ask for them with words that a host does not know. What it
 * does with an unknown word may take long.
 */
export function grammarOf(config: Interfaces.Config): Node {
  const commands = config.commands.filter(
    (command) => (!command.hidden && !command.aliases.includes(command.id)) || isOtherName(command),
  )
  const root = nodeAt([], commands, config)
  // The tool is flux-ts itself, even under another name, if `completion` is one of its own commands.
  return config.findCommand('completion')?.pluginName === config.name ? root : withoutQuestions(root)
}

function withoutQuestions(node: Node): Node {
  const plain = <T extends { readonly value: Value | undefined }>(item: T): T =>
    item.value === 'key' || item.value === 'jobid' ? { ...item, value: 'any' } : item
  return {
    ...node,
    children: node.children.map(withoutQuestions),
    flags: node.flags.map(plain),
    args: node.args.map(plain),
  }
}

/** A node and all nodes below it. */
export function allNodes(node: Node): Node[] {
  return [node, ...node.children.flatMap(allNodes)]
}

/** The children that are offered. */
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
      .map((arg, i, all) => argGrammar(arg, command?.strict === false && i === all.length - 1)),
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

/** @param repeats - the command takes more arguments than it names */
function argGrammar({ name, options, multiple }: Command.Arg.Cached, repeats: boolean): ArgGrammar {
  return { name, value: options ?? valueNamed(name), multiple: multiple === true || repeats }
}

/** The kind of a value, by its name in help. */
function valueNamed(placeholder: string): Value {
  const name = placeholder.toUpperCase()
  if (/(FILE|PATH|ARCHIVE|STORE)S?$/.test(name)) return 'file'
  if (/(DIR|DIRECTORY)$/.test(name)) return 'directory'
  if (/^JOBIDS?$/.test(name)) return 'jobid'
  return /^KEYS?$/.test(name) ? 'key' : 'any'
}

function oneLine(text: string | undefined): string {
  return (text ?? '').split('\n', 1)[0] as string
}
