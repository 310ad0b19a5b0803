/**
 * Bundles the command line tool: a file for what runs first, for each command and for the hooks, with what they share in
 * chunks. Loading some two hundred small files takes most of the time of a short command. The bundle is made of the compiled files
 * in `dist/`, which stay as they are: the library, the plugin in other tools, and the threads use those.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { lazyOclif, ownFiles, sharedFiles, threadFiles, virtual } from './bundle-plugins.js'
import { buildPage } from './page.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const bundle = join(root, 'bundle')
const { name, version, description, type, engines, dependencies, oclif } = JSON.parse(
  await readFile(join(root, 'package.json'), 'utf8'),
)
const help = join(root, 'node_modules/@oclif/plugin-help')
const manifest = JSON.parse(await readFile(join(root, 'oclif.manifest.json'), 'utf8'))

const entryPoints = {}
const add = (file) => {
  entryPoints[relative(dist, join(root, file)).replace(/\.js$/, '')] = join(root, file)
}
for (const id of Object.keys(manifest.commands)) add(`dist/commands/${id.replaceAll(':', '/')}.js`)
const questions = ['dist/cli/completion/keys.js', 'dist/cli/completion/jobids.js']
for (const file of ['dist/cli/run.js', ...questions, oclif.helpClass]) add(file)
// The command help is part of the bundle: nothing has to be found for it.
entryPoints['commands/help'] = 'text:help'
const texts = new Map([['help', `export { default } from ${JSON.stringify(join(help, 'lib/commands/help.js'))};\n`]])
// Hooks of an event are in one file, each under its own name.
const hooks = {}
for (const [event, files] of Object.entries(oclif.hooks)) {
  const names = [files].flat().map((file) => [file, basename(file, '.js').replaceAll('-', '_')])
  hooks[event] = names.map(([, name]) => ({ target: `./hooks/${event}.js`, identifier: name }))
  texts.set(event, names.map(([file, name]) => `export { default as ${name} } from './${file}';\n`).join(''))
  entryPoints[`hooks/${event}`] = `text:${event}`
}

const countWith = (sets, file) => sets.filter((set) => set.has(file)).length

/** @type {import('esbuild').BuildOptions} */
const options = {
  absWorkingDir: root,
  outdir: bundle,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.20',
  // Names stay as they are: traces show them. keepNames would wrap every closure, at a tenth of the time of hot paths.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  // Traces name the sources; their text is in the maps of dist/.
  sourcesContent: false,
  chunkNames: 'chunks/[name]-[hash]',
  define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
  // Parquet is rarely written, and its library is large: it stays where npm installs it.
  external: ['typescript', 'ts-node', 'tsx', 'ts-node/esm', 'hyparquet', 'hyparquet-writer'],
  metafile: true,
  logLevel: 'warning',
}
/** Bundle twice: what the first time shows about what is loaded with what, tells which files to make one. */
const split = async (entryPoints, groups) => {
  const bundled = (plan) =>
    build({
      ...options,
      entryPoints,
      splitting: true,
      plugins: [ownFiles(dist, plan), virtual('text', root, texts, plan), lazyOclif],
      write: plan !== undefined,
    })
  const { metafile } = await bundled()
  return (await bundled(sharedFiles(metafile, root, groups))).metafile
}

await rm(bundle, { recursive: true, force: true })
// It runs before compiled code may be kept, so it is one small file.
await build({ ...options, entryPoints: { start: join(dist, 'cli/start.js') }, plugins: [ownFiles(dist)] })
// Threads share nothing with the commands, of which they need little.
const threads = await split(await threadFiles(dist), (loaded) => [(file) => countWith([...loaded.values()], file) > 1])
const metafile = await split(entryPoints, (loaded) => {
  const commands = [...loaded].filter(([entry]) => entry.startsWith('dist/commands/')).map(([, inputs]) => inputs)
  const first = ['dist/cli/run.js', 'text:init', oclif.helpClass.slice(2)]
  const isFirst = (file) => first.some((entry) => loaded.get(entry).has(file))
  const [isForKeys, isForJobids] = questions.map((entry) => (file) => loaded.get(entry).has(file))
  return [
    (file) => isFirst(file) && isForKeys(file),
    // Help, and what is loaded before any command.
    isFirst,
    isForKeys,
    isForJobids,
    (file) => countWith(commands, file) >= commands.length / 2,
    (file) => ['dump', 'restore'].every((name) => loaded.get(`dist/commands/${name}.js`).has(file)),
  ]
})

// CommonJS packages in ES modules: what they require is loaded from one file.
const outputs = Object.keys({ ...metafile.outputs, ...threads.outputs }).filter((name) => name.endsWith('.js'))
for (const name of outputs) {
  const file = join(root, name)
  const text = await readFile(file, 'utf8')
  if (!text.includes('Dynamic require of')) continue
  const map = JSON.parse(await readFile(`${file}.map`, 'utf8'))
  await writeFile(file, `const require = process.getBuiltinModule('module').createRequire(import.meta.url);\n${text}`)
  await writeFile(`${file}.map`, JSON.stringify({ ...map, mappings: `;${map.mappings}` }))
}

// Nothing is left of some files.
const bare = await Promise.all(
  outputs.map(async (name) => (await readFile(join(root, name), 'utf8')).startsWith('//# ')),
)
const empty = outputs.filter((_, i) => bare[i])
for (const name of outputs) {
  let text = await readFile(join(root, name), 'utf8')
  // The columns of source maps stay right.
  for (const file of empty)
    text = text.replace(new RegExp(`import"[^"]*/${basename(file)}";`), (found) => ' '.repeat(found.length))
  await writeFile(join(root, name), text)
}
for (const name of empty) for (const suffix of ['', '.map']) await rm(join(root, name + suffix))

// What oclif reads of a plugin: this one's files are those of the bundle.
const ofBundle = JSON.parse(
  JSON.stringify({
    name,
    version,
    description,
    type,
    engines,
    dependencies,
    oclif: { ...oclif, hooks, plugins: [] },
  }).replaceAll('./dist/', './'),
)
for (const command of Object.values(manifest.commands)) command.relativePath = command.relativePath.slice(1)
Object.assign(manifest.commands, JSON.parse(await readFile(join(help, 'oclif.manifest.json'), 'utf8')).commands)
manifest.commands.help.relativePath = ['.', 'commands', 'help.js']
await writeFile(join(bundle, 'package.json'), JSON.stringify(ofBundle))
await writeFile(join(bundle, 'oclif.manifest.json'), JSON.stringify(manifest))

// Packages that are part of the bundle come with their licenses.
const folders = new Set(await buildPage(root, [dist, bundle]))
for (const input of Object.keys({ ...metafile.inputs, ...threads.inputs })) {
  const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []
  if (folder) folders.add(folder)
}
const licenses = []
for (const folder of [...folders].sort()) {
  const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'))
  const file = (await readdir(join(root, folder))).find((name) => /^licen[cs]e/i.test(name))
  const text = file === undefined ? '' : await readFile(join(root, folder, file), 'utf8')
  licenses.push(`${name} ${version}: ${license}\n\n${text.trim()}\n`)
}
await writeFile(join(bundle, 'LICENSES.txt'), licenses.join(`\n${'-'.repeat(80)}\n\n`))
