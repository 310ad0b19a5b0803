/**
 * Bundles the command line tool: `bundle/run.js` and a file for each command and hook, with what they share in chunks.
 * Loading some two hundred small files takes most of the time of a short command. The bundle is made of the compiled files
 * in `dist/`, which stay as they are: the library, the plugin in other tools, and the threads use those.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const bundle = join(root, 'bundle')
const { name, version, type, engines, dependencies, oclif } = JSON.parse(
  await readFile(join(root, 'package.json'), 'utf8'),
)
const manifest = JSON.parse(await readFile(join(root, 'oclif.manifest.json'), 'utf8'))

const entryPoints = { start: join(dist, 'cli/start.js'), run: join(dist, 'cli/run.js') }
const add = (file) => {
  const path = relative(dist, join(root, file)).replace(/\.js$/, '')
  entryPoints[path] = join(root, file)
}
for (const id of Object.keys(manifest.commands)) add(`dist/commands/${id.replaceAll(':', '/')}.js`)
for (const hooks of Object.values(oclif.hooks)) for (const file of [hooks].flat()) add(file)
add(oclif.helpClass)

/** Each file finds its neighbours, threads above all, where they were before it was bundled. */
const ownPlaces = {
  name: 'own-places',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (!path.startsWith(dist + sep)) return undefined
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta.url')) return undefined
      const place = JSON.stringify(`/dist/${relative(dist, path).split(sep).join('/')}`)
      const url = `(import.meta.url.slice(0, import.meta.url.lastIndexOf('/bundle/')) + ${place})`
      return { contents: text.replaceAll('import.meta.url', url), loader: 'js' }
    })
  },
}

/** CommonJS packages in an ES module. */
const banner = `import { createRequire as createRequire_ } from 'node:module';
const require = createRequire_(import.meta.url);
const __filename = import.meta.filename, __dirname = import.meta.dirname;`

await rm(bundle, { recursive: true, force: true })
const { metafile } = await build({
  entryPoints,
  outdir: bundle,
  bundle: true,
  splitting: true,
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
  banner: { js: banner },
  external: ['typescript', 'ts-node', 'tsx', 'ts-node/esm', '@oclif/plugin-help'],
  plugins: [ownPlaces],
  metafile: true,
  logLevel: 'warning',
})

// What oclif reads of a plugin: this one's files are those of the bundle.
const ofBundle = JSON.parse(
  JSON.stringify({ name, version, type, engines, dependencies, oclif }).replaceAll('./dist/', './'),
)
for (const command of Object.values(manifest.commands)) command.relativePath = command.relativePath.slice(1)
await writeFile(join(bundle, 'package.json'), JSON.stringify(ofBundle))
await writeFile(join(bundle, 'oclif.manifest.json'), JSON.stringify(manifest))

// Packages that are part of the bundle come with their licenses.
const folders = new Set()
for (const input of Object.keys(metafile.inputs)) {
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
