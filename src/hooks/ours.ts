/** Tells which commands belong to this package. Hooks run for every command of a host, and must ignore most of them. */
import { readFileSync } from 'node:fs'
import type { Interfaces } from '@oclif/core'

/** The package's name, which is oclif's name of the plugin. It is read, so that a fork can change it in one place. */
export const PLUGIN: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).name

/** True when the tool is flux-ts itself, not a host that has it as a plugin. */
export function isOurTool(config: Interfaces.Config): boolean {
  return config.name === PLUGIN
}

/** True when a command belongs to this package. */
export function isOurCommand(config: Interfaces.Config, id: string | undefined): boolean {
  return id !== undefined && config.findCommand(id)?.pluginName === PLUGIN
}

/** True when an id is below the topic `flux` of this package. */
export function isOurTopic(config: Interfaces.Config, id: string): boolean {
  const topic = config.plugins.get(PLUGIN)?.topics.find(({ name }) => name === 'flux')
  return topic !== undefined && id.startsWith(`${topic.name}:`)
}
