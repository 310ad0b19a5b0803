import type { Interfaces } from '@oclif/core'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import { grammarOf } from './grammar.ts'
import { zshScript } from './zsh.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

export type CompletionShell = keyof typeof SCRIPTS

/** The shells that there is a script for. */
export const COMPLETION_SHELLS = Object.keys(SCRIPTS) as CompletionShell[]

/** The script that completes the commands of a tool. */
export function completionScript(shell: CompletionShell, config: Interfaces.Config): string {
  return SCRIPTS[shell](config.bin, grammarOf(config))
}
