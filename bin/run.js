#!/usr/bin/env node
// Dynamic imports only: static ones would be loaded, and fail, before the check.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 20)) {
  process.stderr.write(
    `flux-ts: Node.js 22.20 or newer is required, but this is ${process.version} (${process.execPath})\n`,
  )
  process.exit(1)
}
const { enableCompileCache } = await import('node:module')
enableCompileCache()
const { execute } = await import('@oclif/core')
await execute({ dir: import.meta.url })
