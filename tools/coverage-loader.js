/**
 * Preloaded into every process of the tests by `tools/coverage.js`. The command line tool then runs its sources in place of
 * its bundle, so that V8 counts for the sources in every process alike. Their types have been replaced by blanks before: that
 * would take half a second in each process.
 *
 * The same holds for copies of the package that tests pack and install into a `node_modules`: there the sources run in
 * place of the compiled files. V8 counts a script by the name that its last line gives it.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const root = new URL('..', import.meta.url)
const sources = new URL('src/', root).href
const stripped = new URL('coverage/sources/', root)
const { name: packageName, oclif } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))

registerHooks({
  load(url, context, nextLoad) {
    const source = sourceInstead(url)
    return source === undefined ? nextLoad(url, context) : { format: 'module', source, shortCircuit: true }
  },
})

/** What runs in place of a file of the package; undefined for files of others. */
function sourceInstead(url) {
  if (url.startsWith(sources)) return url.endsWith('.ts') ? strippedSource(url.slice(sources.length)) : undefined
  const [, parent, folder, name] = /^(.*\/)(dist|bundle)\/(.*)\.js$/.exec(url) ?? []
  const isCopy = parent?.endsWith(`/node_modules/${packageName}/`)
  if (!isCopy && parent !== root.href) return undefined
  if (folder === 'bundle') return isCopy ? reexports(name, `${parent}dist/`, '.js') : reexports(name, sources, '.ts')
  // Their imports must find the files of dist/. The new specifier is as long as the old one, so no offset changes.
  return strippedSource(`${name}.ts`).replaceAll(/(['"])(\.[^'"\n]*)\.ts\1/g, '$1$2.js$1')
}

/** A source without its types, everything else at its place. @param {string} name - its path in `src` */
function strippedSource(name) {
  return `${readFileSync(new URL(name, stripped), 'utf8')}\n//# sourceURL=${sources}${name}`
}

/**
 * What stands for a file of the bundle.
 *
 * @param {string} name - its path in the bundle, without extension
 * @param {string} from - URL of the folder with the files that it is made of
 * @param {string} extension - theirs
 */
function reexports(name, from, extension) {
  if (name === 'commands/help') {
    const help = new URL('node_modules/@oclif/plugin-help/lib/commands/help.js', root)
    return `export { default } from ${JSON.stringify(help.href)}`
  }
  const [, event] = /^hooks\/(\w+)$/.exec(name) ?? []
  if (event !== undefined) {
    return [oclif.hooks[event]]
      .flat()
      .map((file) => reexportOfHook(file, from, extension))
      .join('\n')
  }
  const file = name === 'start' ? 'cli/start' : name
  const hasDefault = /^export default /m.test(readFileSync(new URL(`${file}.ts`, sources), 'utf8'))
  const url = JSON.stringify(from + file + extension)
  return `export * from ${url}\n${hasDefault ? `export { default } from ${url}` : ''}`
}

/** @param {string} file - a hook of package.json, as in `tools/bundle.js` */
function reexportOfHook(file, from, extension) {
  const path = file.replace('./dist/', '').replace(/\.js$/, '')
  const name = path.slice(path.lastIndexOf('/') + 1).replaceAll('-', '_')
  return `export { default as ${name} } from ${JSON.stringify(from + path + extension)}`
}
