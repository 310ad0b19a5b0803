// A stale dist would give `oclif manifest` commands that no longer exist.
import { rmSync } from 'node:fs'

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true })
