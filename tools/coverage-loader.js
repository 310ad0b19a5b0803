/**
 * Preloaded into every process of the tests by `tools/coverage.js`. The command line tool then runs its sources in place of
 * its bundle, so that V8 counts for the sources in every process alike. Their types have been replaced by blanks before: that
 * would take half a second in each process.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const root = new URL('..', import.meta.url)
const sources = new URL('src/', root).href
const bundle = new URL('bundle/', root).href
const stripped = new URL('coverage/sources/', root)

registerHooks({
  load(url, context, nextLoad) {
    const source = url.startsWith(bundle) ? reexports(url.slice(bundle.length)) : strippedSource(url)
    return source === undefined ? nextLoad(url, context) : { format: 'module', source, shortCircuit: true }
  },
})

/** A source without its types, everything else at its place; undefined for other files. */
function strippedSource(url) {
  if (!url.startsWith(sources) || !url.endsWith('.ts')) return undefined
  return readFileSync(new URL(url.slice(sources.length), stripped), 'utf8')
}

/** What stands for a file of the bundle. @param {string} name - its path in the bundle */
function reexports(name) {
  if (name === 'commands/help.js') {
    const help = new URL('node_modules/@oclif/plugin-help/lib/commands/help.js', root)
    return `export { default } from ${JSON.stringify(help.href)}`
  }
  const [, event] = /^hooks\/(\w+)\.js$/.exec(name) ?? []
  if (event !== undefined) {
    const { oclif } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
    return [oclif.hooks[event]].flat().map(reexportOfHook).join('\n')
  }
  const file = name === 'start.js' ? 'cli/start.ts' : name.replace(/\.js$/, '.ts')
  const hasDefault = /^export default /m.test(readFileSync(new URL(file, sources), 'utf8'))
  const from = JSON.stringify(sources + file)
  return `export * from ${from}\n${hasDefault ? `export { default } from ${from}` : ''}`
}

/** @param {string} file - a hook of package.json, as in `tools/bundle.js` */
function reexportOfHook(file) {
  const path = file.replace('./dist/', '').replace(/\.js$/, '')
  const name = path.slice(path.lastIndexOf('/') + 1).replaceAll('-', '_')
  return `export { default as ${name} } from ${JSON.stringify(`${sources}${path}.ts`)}`
}
