// Removes dist/ before a build. Otherwise `oclif manifest` would list commands that no longer exist.
import { rmSync } from 'node:fs'

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true })
