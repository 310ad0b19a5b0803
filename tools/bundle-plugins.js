/** Plugins of esbuild for `tools/bundle.js`. Each takes away work that a short command would do when it starts. */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'

/**
 * Our own compiled files. Each finds its neighbours, threads above all, where they were before it was bundled. Modules of
 * Node.js are not imported: an import reads every member of the module, and some members load more modules.
 *
 * @param {string} dist - the directory of the compiled files
 * @param {ReturnType<typeof sharedFiles>} [plan] - what is to be made one file
 */
export function ownFiles(dist, plan) {
  const loads = (_, names, module) =>
    `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule('${module}');`
  return {
    name: 'own-files',
    setup({ onLoad, onResolve }) {
      // An import of a file that does nothing, only to have it in the same file, would be left out.
      onResolve({ filter: /^\.{0,2}\// }, ({ path, resolveDir }) => {
        const full = resolve(resolveDir, path)
        return full.startsWith(dist + sep) ? { path: full, sideEffects: plan?.all.has(full) ?? false } : undefined
      })
      onLoad({ filter: /\.js$/ }, async ({ path }) => {
        if (!path.startsWith(dist + sep)) return undefined
        const text = await readFile(path, 'utf8')
        const place = JSON.stringify(`/bundle/${relative(dist, path).split(sep).join('/')}`)
        const url = `(import.meta.url.slice(0, import.meta.url.lastIndexOf('/bundle/')) + ${place})`
        const contents = text
          .replaceAll('import.meta.url', url)
          .replaceAll(/^import \{(.*)\} from '(node:[^']+)';$/gm, loads)
          // In front of the name of the source map, which must come last.
          .replace(/(?=^\/\/# sourceMappingURL=)/m, () => plan?.imports(path) ?? '')
        return { contents, loader: 'js' }
      })
    },
  }
}

/** The files that threads run, and those that they load, by their places in the bundle. */
export async function threadFiles(dist) {
  const found = {}
  const add = (file) => {
    found[relative(dist, file).replace(/\.js$/, '')] = file
  }
  for (const name of await readdir(dist, { recursive: true })) {
    const file = join(dist, name)
    const text = name.endsWith('.js') ? await readFile(file, 'utf8') : ''
    for (const [, beside] of text.matchAll(/'(\.\/[\w/-]+)', import\.meta\.url/g))
      add(resolve(file, '..', `${beside}.js`))
    if (text.includes('decodeInThread(import.meta.url')) add(file)
  }
  return found
}

/** Modules that are text. @param {ReadonlyMap<string, string>} texts - the text of each module, by its name */
export function virtual(scheme, resolveDir, texts, plan) {
  return {
    name: scheme,
    setup({ onLoad, onResolve }) {
      onResolve({ filter: new RegExp(`^${scheme}:`) }, ({ path }) => ({
        path: path.slice(scheme.length + 1),
        namespace: scheme,
      }))
      onLoad({ filter: /./, namespace: scheme }, ({ path }) => ({
        contents: texts.get(path) + (plan?.imports(`${scheme}:${path}`) ?? ''),
        resolveDir,
      }))
    },
  }
}

/**
 * Which of our files are made one. esbuild makes a file for each set of commands that have something in common, so that a
 * command would load twenty. So each file that is loaded by itself, and has a part of a group, imports all of the group: then
 * the group is common to all of them.
 *
 * @param {import('esbuild').Metafile} metafile - of a bundle without such a plan
 * @param {string} root - the directory that paths in the metafile start from
 * @param groupsOf - makes a test for the files of each group, from what is loaded with each file that is loaded by itself
 */
export function sharedFiles({ outputs }, root, groupsOf) {
  const loaded = new Map()
  for (const [name, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint !== undefined) loaded.set(entryPoint, inputsOf(name, outputs))
  }
  const ours = new Set()
  for (const inputs of loaded.values()) {
    for (const file of inputs) if (file.startsWith('dist/') && !loaded.has(file)) ours.add(file)
  }
  const groups = groupsOf(loaded).map((isPart) => {
    const group = [...ours].filter(isPart)
    for (const file of group) ours.delete(file)
    return group
  })
  const added = new Map()
  for (const [entry, inputs] of loaded) {
    const files = groups.filter((group) => group.some((file) => inputs.has(file))).flat()
    const text = files.map((file) => `import ${JSON.stringify(join(root, file))};\n`).join('')
    added.set(entry.includes(':') ? entry : join(root, entry), text)
  }
  return { all: new Set(groups.flat().map((file) => join(root, file))), imports: (path) => added.get(path) }
}

/** What is loaded with a file: the inputs that have part in it and in what it imports. */
function inputsOf(name, outputs, seen = new Set(), found = new Set()) {
  if (seen.has(name)) return found
  seen.add(name)
  const { imports, inputs } = outputs[name]
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) if (bytesInOutput > 0) found.add(file)
  for (const { path, kind, external } of imports) {
    if (kind === 'import-statement' && !external) inputsOf(path, outputs, seen, found)
  }
  return found
}

/** A module of CommonJS that TypeScript has made a constant of, as in `const util_1 = require("./util");` */
const REQUIRED = /^(?:const|var) (\w+_\d+) = ((?:__importDefault\()?require\("[^"]+"\)\)?);$/gm

/** oclif: a module is loaded when it is used first, as with `import()`. It requires all of them at once. */
export const lazyOclif = {
  name: 'lazy-oclif',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules[\\/]@oclif[\\/]core[\\/]lib[\\/].*\.js$/ }, async ({ path }) => {
      const original = await readFile(path, 'utf8')
      let text = original
      for (const [line, name, required] of original.matchAll(REQUIRED)) {
        const value = required.replace(/require\(("node:[^"]+")\)/, 'process.getBuiltinModule($1)')
        text = text
          .replace(line, '')
          .replaceAll(new RegExp(`\\bnew ${name}((?:\\.\\w+)+)`, 'g'), `new (${value}$1)`)
          .replaceAll(new RegExp(`\\b${name}\\b`, 'g'), value)
      }
      const contents = text
        // bin/run.js has compared the version of Node.js with what this package needs, which is more than oclif needs.
        .replace(/^checkNodeVersion\(\);$/m, '')
        // No command asks whether Linux runs in Windows.
        .replace("(await import('wsl-utils')).isWsl", 'false')
      return { contents, loader: 'js' }
    })
  },
}
