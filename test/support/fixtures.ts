/** Stores and archives that a real Flux made, with the truth beside each. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../fixtures/', import.meta.url))

export interface ExpectedValue {
  key: string
  path: string
  type: 'value'
  size: number
  sha256: string
  blobs: number
}
export interface ExpectedSymlink {
  key: string
  path: string
  type: 'symlink'
  target: string
}
export type ExpectedEntry = ExpectedValue | ExpectedSymlink

export interface Expected {
  rootref: string
  hash: 'sha1' | 'sha256'
  checkpoints: { rootref: string; sequence: number; timestamp: number }[]
  entries: ExpectedEntry[]
  emptyDirs: { path: string }[]
  snapshots?: { rootref: string; entries: ExpectedEntry[] }[]
}

export function fixture(...parts: string[]): string {
  return join(ROOT, ...parts)
}

export function expected(name: string): Expected {
  return JSON.parse(readFileSync(fixture(name, 'expected.json'), 'utf8'))
}

/** Cases with a store that reads without errors. */
export const SOUND_CASES = [
  'archives',
  'archives-cpio',
  'basic',
  'checkpoints',
  'files',
  'jobs',
  'names',
  'old-schema',
  'sha256',
  'values',
]

/** A directory that is removed when the test that asked for it has ended. */
export function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-test-'))
  scratchDirs.push(dir)
  return dir
}

const scratchDirs: string[] = []

/** Root hook: see `.mocharc.json`. */
export const mochaHooks = {
  afterEach(): void {
    for (const dir of scratchDirs.splice(0)) rmSync(dir, { recursive: true, force: true })
  },
}

/** A copy of a fixture that a test may write to. */
export function copyOf(...parts: string[]): string {
  const target = join(scratch(), parts.at(-1) as string)
  cpSync(fixture(...parts), target, { recursive: true })
  return target
}
