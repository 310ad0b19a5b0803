// Writes the software bill of materials, sbom.cdx.json (CycloneDX), of what npm installs with the package and of what is part
// of its bundle, by package-lock.json and bundle/LICENSES.txt. No registry is asked. Two runs give the same bytes: npm's random serial number and the time are left
// out, unless SOURCE_DATE_EPOCH gives a time. Usage: node tools/sbom.js [DIRECTORY]
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { name, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const args = ['sbom', '--package-lock-only', '--offline', '--sbom-format', 'cyclonedx']
const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
if (status !== 0) throw error ?? new Error(`npm sbom failed: ${stderr}`)
const { serialNumber, ...bom } = JSON.parse(stdout)

// npm's own --omit dev leaves out packages that a development tool needs too, such as @oclif/core.
const needs = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]))
const own = bom.metadata.component['bom-ref']
const direct = needs.get(own).filter((ref) => Object.hasOwn(dependencies, ref.slice(0, ref.lastIndexOf('@'))))
needs.set(own, direct)
const kept = new Set(direct)
for (const ref of kept) for (const other of needs.get(ref) ?? []) kept.add(other)
// Libraries in the page of a report are packages of development: npm does not install them, but they are in the package.
const licenses = readFileSync(join(root, 'bundle/LICENSES.txt'), 'utf8')
const bundled = [...licenses.matchAll(/^(\S+) (\d+\.\d+\.\S+): /gm)].map(([, name, version]) => `${name}@${version}`)
for (const ref of bundled) {
  if (kept.has(ref)) continue
  kept.add(ref)
  direct.push(ref)
  // What it needs besides is left out of the bundle.
  needs.set(
    ref,
    needs.get(ref).filter((other) => bundled.includes(other)),
  )
}
bom.components = bom.components.filter((component) => kept.has(component['bom-ref']))
bom.dependencies = [...needs]
  .filter(([ref]) => ref === own || kept.has(ref))
  .map(([ref, dependsOn]) => ({ ref, dependsOn }))

const { timestamp, ...metadata } = bom.metadata
const { SOURCE_DATE_EPOCH: epoch } = process.env
// npm takes the name of the directory for that of the package.
metadata.component.name = name
bom.metadata = { ...(epoch ? { timestamp: new Date(Number(epoch) * 1000).toISOString() } : {}), ...metadata }
writeFileSync(join(process.argv[2] ?? root, 'sbom.cdx.json'), `${JSON.stringify(bom, undefined, 2)}\n`)
