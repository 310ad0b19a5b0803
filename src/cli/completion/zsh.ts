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
  .map((node) => (node.children.length > 0 ? topic(name, node) : command(name, node)))
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

/**
 * Completes the first word, then calls the function of that word. A command with subcommands is completed as a topic.
 */
function topic(name: string, node: Node): string {
  const { path, children } = node
  const words = offered(node).map((child) => `      ${quote(`${child.path.at(-1)}:${child.summary}`)}`)
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

function command(name: string, { path, flags, args }: Node): string {
  const specs = flags.flatMap((flag) => flagSpecs(name, flag))
  const places = args.map(({ name: arg, value, multiple }, i) =>
    quote(`${multiple ? '*' : i + 1}:${plain(arg)}:${action(name, value)}`),
  )
  return `${called(name, path)}() {
  _arguments -s -S \\
    ${[...specs, ...places].join(' \\\n    ')}
}`
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
