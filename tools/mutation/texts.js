/** A Stryker plugin: no mutants of texts for people, which are told by a space in them. Tests compare parts of them only. */
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin'

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'texts', {
    shouldIgnore({ node }) {
      const isText =
        (node.type === 'StringLiteral' && node.value.includes(' ')) ||
        (node.type === 'TemplateLiteral' && node.quasis.some(({ value }) => value.raw.includes(' ')))
      return isText ? 'a text for people' : undefined
    },
  }),
]
