/** The inputs that are kept in the repository, and those that a run keeps. */

import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Find } from './fuzzer.ts'

const CORPUS = fileURLToPath(new URL('./corpus/', import.meta.url))
const FINDS = fileURLToPath(new URL('./finds/', import.meta.url))

/** Bytes of the corpus of one target in the repository. */
const KEPT_BYTES = 11_000

/** The corpus of a target: a line of base64 each, the shortest first. */
export function readCorpus(target: string): Buffer[] {
  const file = join(CORPUS, `${target}.txt`)
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => Buffer.from(line, 'base64'))
}

/** Keep inputs, besides those that are kept already, as long as there is room. The shortest come first. */
export function keepCorpus(target: string, inputs: readonly Uint8Array[]): void {
  const lines = new Set([...readCorpus(target), ...inputs].map((input) => Buffer.from(input).toString('base64')))
  let left = KEPT_BYTES
  const kept = [...lines].sort((a, b) => a.length - b.length).filter((line) => (left -= line.length + 1) >= 0)
  mkdirSync(CORPUS, { recursive: true })
  writeFileSync(join(CORPUS, `${target}.txt`), kept.map((line) => `${line}\n`).join(''))
}

/** Store a find as a file. @returns its path */
export function keepFind({ target, input }: Find): string {
  mkdirSync(join(FINDS, target), { recursive: true })
  const file = join(FINDS, target, hash('sha1', input, 'hex').slice(0, 12))
  writeFileSync(file, input)
  return file
}

/** The finds of all runs, which must not fail any more. */
export function readFinds(target: string): { name: string; input: Buffer }[] {
  const directory = join(FINDS, target)
  if (!existsSync(directory)) return []
  return readdirSync(directory).map((name) => ({ name, input: readFileSync(join(directory, name)) }))
}
