/** A real Flux on a content store that is there already. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Finished, runAside } from './processes.ts'

/**
 * Start an instance on a statedir, with its backing store loaded but not the KVS, run a program in it, and stop it.
 *
 * @returns what became of the program
 */
export async function runOnStatedir(statedir: string, command: string, args: readonly string[]): Promise<Finished> {
  const dir = mkdtempSync(join(tmpdir(), 'flux-ts-rc-'))
  const script = (name: string, lines: string[]) => {
    writeFileSync(join(dir, name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 })
    return join(dir, name)
  }
  const modules = ['content', 'content-sqlite']
  const rc1 = script('rc1', ['set -e', ...modules.map((name) => `flux module load ${name}`)])
  const rc3 = script(
    'rc3',
    modules.toReversed().map((name) => `flux module remove -f ${name}`),
  )
  try {
    const settings = [`-Sstatedir=${statedir}`, `-Sbroker.rc1_path=${rc1}`, `-Sbroker.rc3_path=${rc3}`]
    // A broker has words of its own for a program that fails.
    const statusFile = join(dir, 'status')
    const wrapped = ['sh', '-c', '"$@"; echo $? >"$0"', statusFile, command, ...args]
    const outcome = await runAside('flux', ['start', ...settings, ...wrapped])
    if (outcome.status !== 0) throw new Error(`flux start: ${outcome.stderr}`)
    return { ...outcome, status: Number(readFileSync(statusFile, 'utf8')) }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
