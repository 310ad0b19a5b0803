import { allNodes, type FlagGrammar, type Node, offered, type Value } from './grammar.ts'
import { functionName, quote } from './quoting.ts'

/**
 * The completion script for zsh. Source it after `compinit`, or put it as `_BIN` into a directory of `fpath`.
 *
 * Each command and topic is a function; the flags of a command are the arguments of a call of `_arguments`.
 *
 * @see zshcompsys(1), "_arguments"
 */
export function zshScript(bin: string, root: Node): string {
  const name = functionName(bin)
  return `#compdef ${bin}
# Completion of ${bin} for zsh. Made by: ${bin} completion zsh
_${name}_keys() {
  local -a keys=(\${(f)"$(${bin} __complete "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)"})
  compadd -S '' -- \${(M)keys:#*.}
  compadd -- \${keys:#*.}
}

_${name}_jobids() {
  local -a jobs=(\${(f)"$(${bin} __complete_jobs "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)"})
  local -a ids=(\${jobs%%$'\\t'*}) shown=(\${jobs/$'\\t'/  -- })
  compadd -V jobids -l -d shown -a ids
}

${allNodes(root)
  .map((node) => {
    if (node.children.length === 0) return command(name, node)
    return node.flags.length > 0 ? commandWithChildren(name, node) : topic(name, node)
  })
  .join('\n\n')}

if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${bin}
fi
`
}

function called(name: string, path: readonly string[]): string {
  return ['', name, ...path.map(functionName)].join('_')
}

/** Completes the first word, then calls the function of that word. */
function topic(name: string, node: Node): string {
  const { path, children } = node
  const words = describedChildren(node)
  const cases = children.map((child) => `      ${child.path.at(-1)}) ${called(name, child.path)} && ret=0 ;;`)
  return `${called(name, path)}() {
  local curcontext="$curcontext" state line ret=1
  _arguments -C '1: :->word' '*:: :->rest' && ret=0
  case $state in
    word)
      local -a commands=(
${words.join('\n')}
      )
      _describe command commands && ret=0
      ;;
    rest)
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
  return ret
}`
}

/** A command that can be used by itself, and has subcommands: its first word is one of these, or its own. */
function commandWithChildren(name: string, node: Node): string {
  const cases = node.children.map(
    (child) => `    ${child.path.at(-1)}) shift words; ((CURRENT--)); ${called(name, child.path)}; return ;;`,
  )
  return `${called(name, node.path)}() {
  local ret=1
  ((CURRENT > 2)) && case $words[2] in
${cases.join('\n')}
  esac
  if ((CURRENT == 2)); then
    local -a commands=(
${describedChildren(node).join('\n')}
    )
    _describe command commands && ret=0
  fi
  ${argumentsOf(name, node)} && ret=0
  return ret
}`
}

function describedChildren(node: Node): string[] {
  return offered(node).map((child) => `      ${quote(`${child.path.at(-1)}:${child.summary}`)}`)
}

function command(name: string, node: Node): string {
  return `${called(name, node.path)}() {
  ${argumentsOf(name, node)}
}`
}

/** The call that completes the flags and arguments of a command. */
function argumentsOf(name: string, { flags, args }: Node): string {
  const specs = flags.flatMap((flag) => flagSpecs(name, flag))
  const places = args.map(({ name: arg, value, multiple }, i) =>
    quote(`${multiple ? '*' : i + 1}:${plain(arg)}:${action(name, value)}`),
  )
  return `_arguments -s -S \\
    ${[...specs, ...places].join(' \\\n    ')}`
}

function flagSpecs(name: string, { names, summary, value, placeholder, multiple }: FlagGrammar): string[] {
  return names.map((flag) => {
    const others = multiple ? '*' : `(${names.join(' ')})`
    if (value === undefined) return quote(`${others}${flag}[${plain(summary)}]`)
    const joint = flag.startsWith('--') ? '=' : '+'
    return quote(`${others}${flag}${joint}[${plain(summary)}]:${plain(placeholder)}:${action(name, value)}`)
  })
}

function action(name: string, value: Value): string {
  if (typeof value !== 'string') return `(${value.join(' ')})`
  return { file: '_files', directory: '_files -/', key: `_${name}_keys`, jobid: `_${name}_jobids`, any: ' ' }[value]
}

/** Replace the characters that have a meaning in a spec of `_arguments`. */
function plain(text: string): string {
  return text.replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', ' -')
}
