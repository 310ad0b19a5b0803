// Writes the manual pages from the summaries and descriptions of the commands, and their list into package.json, which
// npm needs to install them. Usage: node tools/man.js [PACKAGE_DIRECTORY]
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config } from '@oclif/core'
import { manualPages } from '../dist/cli/manual/pages.js'

const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))
const now = process.env.SOURCE_DATE_EPOCH ? new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1000) : new Date()
const dir = join(root, 'man')
rmSync(dir, { recursive: true, force: true })
mkdirSync(dir)
const pages = manualPages(await Config.load(root), now.toISOString().slice(0, 10))
for (const [name, text] of pages) writeFileSync(join(dir, name), text)

const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const man = [...pages.keys()].sort().map((name) => `./man/${name}`)
if (JSON.stringify(pjson.man) !== JSON.stringify(man)) {
  writeFileSync(join(root, 'package.json'), `${JSON.stringify({ ...pjson, man }, undefined, 2)}\n`)
}
