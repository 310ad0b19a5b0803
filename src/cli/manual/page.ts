/**
 * The manual page of a command, made from its summary, description, flags and examples. Help and man(1) show the same.
 */
import type { Command, Interfaces } from '@oclif/core'

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'subheading'; readonly text: string }
  /** A term and its meaning, in one or more paragraphs. */
  | { readonly kind: 'definition'; readonly term: string; readonly texts: readonly string[] }
  | { readonly kind: 'example'; readonly text: string; readonly command: string }

export interface Section {
  readonly heading: string
  readonly blocks: readonly Block[]
}

export interface Page {
  /** `flux-ts-dump` */
  readonly name: string
  readonly summary: string
  /** `flux-ts dump [OPTIONS] OUTFILE` */
  readonly synopsis: string
  /** The sections after the synopsis. */
  readonly sections: readonly Section[]
}

type Documented = Pick<Command.Loadable, 'id' | 'summary' | 'description' | 'flags' | 'args' | 'examples' | 'strict'>

/** The order of the groups of flags. Other groups come after these and before the last one. */
const GROUPS = ['SOURCE', 'SNAPSHOT', 'SELECTION', 'TARGET', 'OUTPUT', 'PACE']
const LAST_GROUP = 'GLOBAL'

const EXIT_STATUS: readonly [string, string][] = [
  ['0', 'Done.'],
  ['1', 'Something failed; one line on stderr says what.'],
  ['2', 'Called wrongly.'],
  ['130', 'Interrupted by SIGINT, SIGTERM, SIGHUP or SIGQUIT.'],
]

/** Environment variables, each with its flag or argument; the empty string is for all commands. */
const VARIABLES: readonly [name: string, of: string, text: string][] = [
  ['FLUX_URI', 'uri', 'The instance, if --uri is not given.'],
  ['FLUX_KVS_NAMESPACE', 'namespace', 'The namespace, if --namespace is not given.'],
  ['FLUX_SSH, FLUX_SSH_RCMD', 'uri', 'The program to use for ssh, and for flux on the remote host.'],
  ['SOURCE_DATE_EPOCH', 'outfile', 'The time of all members, in seconds since 1970.'],
  ['TMPDIR', 'archive', 'The directory for the temporary copy of an archive that is read with --archive.'],
  ['DEBUG', '', '* shows the stack trace of an error.'],
]

/**
 * The page of a command.
 *
 * @param render - fills in templates such as `<%= config.bin %>`
 */
export function manualPage(command: Documented, config: Interfaces.Config, render: (text: string) => string): Page {
  const words = command.id.split(/[: ]/)
  const fill = (text: string) => render(text.replaceAll('<%= command.id %>', words.join(' ')))
  const flags = Object.values(command.flags ?? {}).filter(({ hidden }) => !hidden)
  const args = Object.values(command.args ?? {}).filter(({ hidden }) => !hidden)
  const [first = '', ...rest] = paragraphs(fill(command.description ?? ''))
  const summary = fill(command.summary ?? first)
  const names = new Set([...flags, ...args].map(({ name }) => name.toLowerCase()))
  const sections: Section[] = [
    { heading: 'DESCRIPTION', blocks: (command.summary ? [first, ...rest] : rest).map(paragraph) },
    { heading: 'ARGUMENTS', blocks: args.map((arg) => definition(argTerm(arg), [argText(arg)])) },
    { heading: 'OPTIONS', blocks: flagBlocks(flags) },
    { heading: 'EXAMPLES', blocks: exampleBlocks(command.examples, fill) },
    { heading: 'EXIT STATUS', blocks: EXIT_STATUS.map(([term, text]) => definition(term, [text])) },
    {
      heading: 'ENVIRONMENT',
      blocks: VARIABLES.filter(([, of]) => of === '' || names.has(of)).map(([term, , text]) =>
        definition(term, [text]),
      ),
    },
  ]
  return {
    name: [config.bin, ...words].join('-'),
    summary,
    synopsis: [config.bin, ...words, '[OPTIONS]', ...args.map(argTerm)].join(' '),
    sections: sections.filter(({ blocks }) => blocks.length > 0),
  }
}

function paragraphs(text: string): string[] {
  return text.split(/\n\s*\n/).filter((each) => each.trim() !== '')
}

function paragraph(text: string): Block {
  return { kind: 'paragraph', text }
}

function definition(term: string, texts: readonly (string | undefined)[]): Block {
  return { kind: 'definition', term, texts: texts.filter((text) => text !== undefined && text !== '') as string[] }
}

/** An argument in the synopsis of its command. */
export function argTerm({
  name,
  required,
  multiple,
}: Pick<Command.Arg.Cached, 'name' | 'required' | 'multiple'>): string {
  const word = `${name.toUpperCase()}${multiple ? '...' : ''}`
  return required ? word : `[${word}]`
}

function argText({ description, options }: Command.Arg.Cached): string {
  return sentence(description) + oneOf(options)
}

function flagBlocks(flags: readonly Command.Flag.Cached[]): Block[] {
  const groups = Map.groupBy(flags, ({ helpGroup }) => helpGroup ?? LAST_GROUP)
  const others = [...groups.keys()].filter((group) => !GROUPS.includes(group) && group !== LAST_GROUP)
  return [...GROUPS, ...others, LAST_GROUP].flatMap((group) => {
    const members = groups.get(group) ?? []
    if (members.length === 0) return []
    const title = group.charAt(0) + group.slice(1).toLowerCase()
    return [{ kind: 'subheading', text: title } as const, ...members.map(flagBlock)]
  })
}

function flagBlock(flag: Command.Flag.Cached): Block {
  const long = flag.type === 'boolean' && flag.allowNo ? `--[no-]${flag.name}` : `--${flag.name}`
  const value = flag.type === 'option' ? `=${flag.helpValue ?? flag.name.toUpperCase()}` : ''
  const options = flag.type === 'option' ? flag.options : undefined
  const term = (flag.char ? `-${flag.char}, ` : '') + long + value
  return definition(term, [
    sentence(flag.summary ?? flag.description) + oneOf(options),
    flag.summary && flag.description,
  ])
}

function oneOf(options: readonly string[] | undefined): string {
  return options ? ` One of: ${options.join(', ')}.` : ''
}

/** A summary as a sentence: with a capital first letter and a full stop. */
function sentence(text: string | undefined): string {
  if (!text) return ''
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? '' : '.')
}

function exampleBlocks(examples: Command.Example[] | undefined, render: (text: string) => string): Block[] {
  return (examples ?? []).map((example) => {
    const { description, command } = typeof example === 'string' ? { description: '', command: example } : example
    return { kind: 'example', text: sentence(description).replace(/\.$/, ':'), command: render(command) }
  })
}
