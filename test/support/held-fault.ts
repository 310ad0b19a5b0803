/** Parts of cases of the fault matrix: a fault that happens while the CLI is held; one of its threads; another user. */
import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FaultCase, Scene } from './fault-case.ts'
import { type FaultPoint, variablesOf } from './fault-points.ts'
import { scratch } from './fixtures.ts'
import { CLI } from './processes.ts'

const preload = (name: string) => pathToFileURL(fileURLToPath(new URL(name, import.meta.url))).href

/** Hold the CLI at a point, do something, and let it go on. */
export function whileHeld(point: FaultPoint, act: (scene: Scene) => void): Pick<FaultCase, 'env' | 'during'> {
  return {
    env: ({ held }) => {
      const dir = join(scratch(), 'fault')
      mkdirSync(dir)
      closeSync(openSync(join(dir, 'hold'), 'w'))
      held.dir = dir
      return variablesOf(point, dir)
    },
    during: async (scene, { pid }) => {
      const dir = scene.held.dir as string
      while (!existsSync(join(dir, 'reached'))) {
        // Throws when the process has ended.
        process.kill(pid, 0)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      try {
        act(scene)
      } finally {
        rmSync(join(dir, 'hold'))
      }
    },
  }
}

/**
 * What happens in the threads of the CLI: see thread-fault.mjs.
 *
 * @param after - how many messages they get first
 */
export function inThreads(fault: 'exit' | 'throw' | 'memory', after = 0): Record<string, string> {
  return {
    NODE_OPTIONS: `--import=${preload('./thread-fault.mjs')}`,
    THREAD_FAULT: fault,
    THREAD_FAULT_AFTER: String(after),
  }
}

/** Loaded before the CLI: its clock goes back by ten days whenever it is looked at a third time. */
export const CLOCK_SET_BACK = { NODE_OPTIONS: `--import=${preload('./clock-fault.mjs')}` }

const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

/** True when this is root, and can run the CLI as a user without rights. */
export const canBeNobody =
  process.geteuid?.() === 0 &&
  spawnSync(AS_NOBODY[0] as string, [...AS_NOBODY.slice(1), process.execPath, CLI, '--version']).status === 0

/** Run as a user who may look at the scene, and write to the directory of OUTFILE and to TMPDIR, but has no other rights. */
export function asNobody({ out, tmp }: Scene): string[] {
  chmodSync(dirname(out), 0o755)
  chmodSync(out, 0o777)
  chmodSync(tmp, 0o1777)
  return AS_NOBODY
}

/** True when this user can mount file systems where only the processes of a case see them. */
export const canUnshare = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

/**
 * Run where a file system is mounted that other processes do not see, and that goes with the last process. What is left in it is
 * told on stderr.
 */
export function mounting(dir: string, mount: string): string[] {
  const script = `dir=$1; shift; ${mount} && { "$@"; status=$?; find "$dir" -name '*flux-ts*' >&2; exit $status; }`
  return ['unshare', '-m', 'sh', '-c', script, 'sh', dir]
}
