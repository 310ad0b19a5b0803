/** What hooks ask first: they run for every command of a host, and have no business with most of them. */
import { readFileSync } from 'node:fs'
import type { Interfaces } from '@oclif/core'

/** The package's name, by which oclif knows the plugin: whoever publishes it under another need change nothing else. */
export const PLUGIN: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).name

/** True when the tool is flux-ts itself, not one that has it as a plugin. */
export function isOurTool(config: Interfaces.Config): boolean {
  return config.name === PLUGIN
}

/** True when a command is one of this package. */
export function isOurCommand(config: Interfaces.Config, id: string | undefined): boolean {
  return id !== undefined && config.findCommand(id)?.pluginName === PLUGIN
}

/** True when what was typed is below the topic of this package that no other plugin has. */
export function isOurTopic(config: Interfaces.Config, id: string): boolean {
  const topic = config.plugins.get(PLUGIN)?.topics.find(({ name }) => name === 'flux')
  return topic !== undefined && id.startsWith(`${topic.name}:`)
}
