import { Help, type Interfaces } from '@oclif/core'
import { manualPage, type Page } from './page.ts'
import { roffPage } from './roff.ts'

/** Makes the protected `render` of Help public. */
class Renderer extends Help {
  fill(text: string): string {
    return this.render(text)
  }
}

/**
 * The manual pages of a package: one for each command, and one for the tool.
 *
 * @param date - `2026-01-31`
 * @returns file names, and the content of each file
 */
export function manualPages(config: Interfaces.Config, date: string): Map<string, string> {
  const commands = config.commands.filter(({ hidden, pluginName }) => !hidden && pluginName === config.name)
  const source = `${config.name} ${config.version}`
  const renderer = new Renderer(config)
  const pages = commands.map((command) => manualPage(command, config, (text) => renderer.fill(text)))
  const all = [toolPage(pages, config), ...pages]
  return new Map(
    all.map((page) => {
      const others = all.map(({ name }) => name).filter((name) => name !== page.name)
      return [`${page.name}.1`, roffPage(page, source, date, others)]
    }),
  )
}

function toolPage(pages: readonly Page[], { bin, pjson }: Interfaces.Config): Page {
  const blocks = pages.map(({ name, summary }) => ({
    kind: 'definition' as const,
    term: `${name}(1)`,
    texts: [summary],
  }))
  return {
    name: bin,
    summary: pjson.description ?? '',
    synopsis: `${bin} COMMAND [OPTIONS] ...`,
    sections: [{ heading: 'COMMANDS', blocks }],
  }
}
