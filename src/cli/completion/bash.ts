import { allNodes, type Node, offered, type Value } from './grammar.ts'
import { functionName, quote } from './quoting.ts'

/**
 * The completion script for bash 4 or later. It does not need the bash-completion package.
 *
 * Each command is one line of a `case`, with its subcommands, its flags and their values, and its arguments.
 *
 * @see bash(1), "Programmable Completion"
 */
export function bashScript(bin: string, root: Node): string {
  const name = functionName(bin)
  const cases = allNodes(root).map((node) => {
    const { path, flags, args } = node
    const options = flags.flatMap(({ names, value }) =>
      names.map((flag) => (value === undefined ? flag : `${flag}=${kind(value)}`)),
    )
    const list = args.map(({ value, multiple }) => kind(value) + (multiple ? '...' : ''))
    const words = offered(node).map((child) => child.path.at(-1))
    return `    ${quote(path.join(' '))}) words=${quote(words.join(' '))} flags=${quote(options.join(' '))} args=${quote(list.join(' '))} ;;`
  })
  return `# Completion of ${bin} for bash. Made by: ${bin} completion bash
_${name}_grammar() {
  words= flags= args=
  case $1 in
${cases.join('\n')}
    *) return 1 ;;
  esac
}

_${name}() {
  local path= flag= ended= place=0 leading=1 i word option kind=
  local words flags args line=$COMP_LINE gap typed=() last=-1 at=0
  COMPREPLY=()
  # bash splits words at a colon. Join them again, unless there is a space between.
  for ((i = 0; i < \${#COMP_WORDS[@]}; i++)); do
    word=\${COMP_WORDS[i]}
    gap=\${line%%[![:space:]]*}
    line=\${line#"$gap"}
    line=\${line#"$word"}
    if ((last >= 0)) && [[ -z $gap && ($word == :* || \${typed[last]} == *:) ]]; then
      typed[last]+=$word
    else
      typed[++last]=$word
    fi
    ((i == COMP_CWORD)) && at=$last
  done
  local cur=\${typed[at]}
  _${name}_grammar ''
  # bash makes = a separate word, too.
  [[ $cur == = ]] && cur=
  for ((i = 1; i < at; i++)); do
    word=\${typed[i]}
    if [[ $word == = ]]; then
      continue
    elif [[ $flag ]]; then
      flag=
    elif [[ $leading && $word != -* ]] && _${name}_grammar "\${path:+$path }$word"; then
      path="\${path:+$path }$word"
    else
      leading=
      _${name}_grammar "$path"
      if [[ $ended || $word != -* ]]; then
        place=$((place + 1))
      elif [[ $word == -- ]]; then
        ended=1
      else
        for option in $flags; do
          [[ $option == "$word="* ]] && flag=$word
        done
      fi
    fi
  done
  _${name}_grammar "$path"
  if [[ $flag ]]; then
    for option in $flags; do
      [[ $option == "$flag="* ]] && kind=\${option#*=}
    done
  elif [[ ! $ended && $cur == -* ]]; then
    for option in $flags; do
      [[ \${option%%=*} == "$cur"* ]] && COMPREPLY+=("\${option%%=*}")
    done
    return
  else
    [[ $leading && $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
    i=0
    for kind in $args; do
      if ((i == place)) || [[ $kind == *... ]]; then break; fi
      kind= i=$((i + 1))
    done
    kind=\${kind%...}
  fi
  case $kind in
    file) compopt -o default ;;
    directory) compopt -o dirnames ;;
    key)
      mapfile -t COMPREPLY < <(${bin} __complete "\${typed[@]:1:at-1}" "$cur" 2>/dev/null)
      [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *. ]] && compopt -o nospace
      ;;
    jobid)
      mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(${bin} __complete_jobids "\${typed[@]:1:at-1}" "$cur" 2>/dev/null)
      # They come newest first. Older versions of bash sort them.
      compopt -o nosort 2>/dev/null
      ;;
    '{'*)
      kind=\${kind#?}
      COMPREPLY=($(compgen -W "\${kind//[,\\}]/ }" -- "$cur"))
      ;;
  esac
  # bash replaces only the text after the last colon.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"\${cur%"\${cur##*:}"}"}")
  fi
}

complete -F _${name} ${bin}
`
}

function kind(value: Value): string {
  return typeof value === 'string' ? value : `{${value.join(',')}}`
}
