import { allNodes, type Node, offered, type Value } from './grammar.ts'
import { functionName, quote } from './quoting.ts'

/**
 * The completion script for fish: one `complete` for each word and flag, on the condition that its command was typed
 * before.
 *
 * @see complete(1) of fish
 */
export function fishScript(bin: string, root: Node): string {
  const name = functionName(bin)
  const lines: string[] = []
  for (const node of allNodes(root)) {
    const path = node.path.join(' ')
    // The flags of a command are not those of its subcommands.
    const others = node.children.map((child) => `; and not __${name}_at ${child.path.join(' ')}`)
    const at = `-n ${quote(`__${name}_at ${path}`.trimEnd() + others.join(''))}`
    const next = `-n ${quote(`__${name}_next ${path}`.trimEnd())}`
    for (const child of offered(node)) {
      lines.push(`complete -c ${bin} ${next} -f -a ${quote(child.path.at(-1) as string)} -d ${quote(child.summary)}`)
    }
    for (const { names, summary, value } of node.flags) {
      const spelled = names.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
      for (const one of spelled.length > 2 || names.some((flag) => flag.startsWith('--no-'))
        ? spelled
        : [spelled.join(' ')]) {
        lines.push(`complete -c ${bin} ${at} ${one}${takes(name, value)} -d ${quote(summary)}`)
      }
    }
    for (const { value } of node.args) lines.push(`complete -c ${bin} ${at}${argument(name, value)}`)
    if (node.args.every(({ value }) => value !== 'file')) lines.push(`complete -c ${bin} ${at} -f`)
  }
  return `# Completion of ${bin} for fish. Made by: ${bin} completion fish
function __${name}_at
    set -l words (commandline -opc)[2..]
    test (count $words) -ge (count $argv); or return
    test (count $argv) -eq 0; and return 1
    test "$words[1..$(count $argv)]" = "$argv"
end

function __${name}_next
    set -l words (commandline -opc)[2..]
    test "$words" = "$argv"
end

function __${name}_keys
    ${bin} __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end

function __${name}_jobids
    ${bin} __complete_jobs (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end

complete -c ${bin} -e
${lines.join('\n')}
`
}

function takes(name: string, value: Value | undefined): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') return ` -x -a ${quote(value.join(' '))}`
  return {
    file: ' -r -F',
    directory: ` -x -a '(__fish_complete_directories)'`,
    key: ` -x -a '(__${name}_keys)'`,
    jobid: ` -x -k -a '(__${name}_jobids)'`,
    any: ' -x',
  }[value]
}

function argument(name: string, value: Value): string {
  if (typeof value !== 'string') return ` -f -a ${quote(value.join(' '))}`
  return {
    file: ' -F',
    directory: ` -f -a '(__fish_complete_directories)'`,
    key: ` -f -a '(__${name}_keys)'`,
    jobid: ` -f -k -a '(__${name}_jobids)'`,
    any: ' -f',
  }[value]
}
