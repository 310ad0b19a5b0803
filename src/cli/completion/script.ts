import type { Interfaces } from '@oclif/core'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import { grammarOf } from './grammar.ts'
import { zshScript } from './zsh.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

export type CompletionShell = keyof typeof SCRIPTS

/** The shells with a completion script. */
export const COMPLETION_SHELLS = Object.keys(SCRIPTS) as CompletionShell[]

/** The script that completes the commands of a tool. */
export function completionScript(shell: CompletionShell, config: Interfaces.Config): string {
  return SCRIPTS[shell](config.bin, grammarOf(config))
}

/**
 * The lines that turn completion on, one for each shell.
 *
 * @param bin - the name of the tool
 */
export function completionLines(bin: string): string[] {
  return [
    `bash: source <(${bin} completion bash)`,
    `zsh, after compinit: source <(${bin} completion zsh)`,
    `fish: ${bin} completion fish | source`,
  ]
}
