// Writes the manual pages, from what the commands say of themselves. Usage: node tools/man.js [PACKAGE_DIRECTORY]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config } from '@oclif/core'
import { manualPages } from '../dist/cli/manual/pages.js'

const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))
const now = process.env.SOURCE_DATE_EPOCH ? new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1000) : new Date()
const dir = join(root, 'man')
rmSync(dir, { recursive: true, force: true })
mkdirSync(dir)
for (const [name, text] of manualPages(await Config.load(root), now.toISOString().slice(0, 10))) {
  writeFileSync(join(dir, name), text)
}
