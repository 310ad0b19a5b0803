/**
 * Makes the script and the style of a report (`src/report/page`) one file each, which `renderPage` puts into its page. They are
 * text, not modules: nothing loads them but the page. Of the libraries in the script, the licenses stand at its beginning.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

/**
 * @param {string} root - of the package
 * @param {string[]} outdirs - where `report/page/script.txt` and `report/page/style.txt` are written
 * @returns {Promise<string[]>} the folders of the packages in the script, relative to the root
 */
export async function buildPage(root, outdirs) {
  const page = join(root, 'src/report/page')
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { script: join(page, 'main.ts'), style: join(page, 'style.css') },
    outdir: root,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['chrome105', 'firefox115', 'safari16'],
    // Rooms that the page has a function of have others that import modules of Node.js; none of those is left in it.
    external: ['node:*'],
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  })
  const [[, { inputs }]] = Object.entries(metafile.outputs).filter(([name]) => name.endsWith('.js'))
  const folders = new Set()
  for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
    const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []
    if (folder && bytesInOutput > 0) folders.add(folder)
  }
  const packages = [...folders].sort()
  const text = (extension) => outputFiles.find(({ path }) => path.endsWith(extension)).text.trim()
  const script = `/*\n${await notices(root, packages)}*/\n${text('.js')}`
  for (const outdir of outdirs) {
    await mkdir(join(outdir, 'report/page'), { recursive: true })
    await writeFile(join(outdir, 'report/page/script.txt'), inElement(script, 'script'))
    await writeFile(join(outdir, 'report/page/style.txt'), inElement(text('.css'), 'style'))
  }
  return packages
}

/** The licenses of packages; one that several have is written once. */
async function notices(root, packages) {
  const byText = new Map()
  for (const folder of packages) {
    const { name, version } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'))
    const file = (await readdir(join(root, folder))).find((name) => /^licen[cs]e/i.test(name))
    const license = (await readFile(join(root, folder, file), 'utf8')).trim()
    byText.set(license, [...(byText.get(license) ?? []), `${name} ${version}`])
  }
  return [...byText].map(([license, names]) => `${names.join(', ')}\n\n${license}\n`).join('\n')
}

/** @throws {Error} the text would end the element that it stands in */
function inElement(text, element) {
  if (text.toLowerCase().includes(`</${element}`) || text.includes('<!--'))
    throw new Error(`the ${element} of the page ends itself`)
  return text
}
