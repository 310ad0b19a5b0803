/** The CLI, held at a named point of its work, or failing there: tests of what is left. */
import { closeSync, mkdirSync, openSync, rmSync, watch } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { scratch } from './fixtures.ts'
import { startFluxTs } from './processes.ts'

const PRELOAD = pathToFileURL(fileURLToPath(new URL('./fault-point.mjs', import.meta.url))).href

/** A call into Node.js at which the CLI stops. */
export interface FaultPoint {
  /** A function of `node:fs`; or `exec`, an SQL statement of its own. */
  call:
    | 'openSync'
    | 'read'
    | 'readSync'
    | 'write'
    | 'writeSync'
    | 'fsync'
    | 'fsyncSync'
    | 'linkSync'
    | 'renameSync'
    | 'mkdirSync'
    | 'exec'
  /** What the path, or the statement, looks like (default: any). */
  on?: RegExp
  /** Which of these calls: 1 is the first. */
  nth?: number
  /** Stop when the call has returned, not before it is made. */
  after?: boolean
  /** Do not stop: from there on, these calls fail with this errno. Not for `exec`. */
  fails?: string
  /** Do not stop: only this call takes its time, and JavaScript goes on. For functions with a callback. */
  pends?: boolean
  /** Do not stop: the heap of the thread is filled, or no more address space can be had. */
  lacks?: 'heap' | 'space'
}

/** A {@link FaultPoint} for a process that is yet to be started. */
export interface Prepared {
  /** Variables that the process needs. */
  readonly env: Record<string, string>
  /** Settles when the process is there. */
  readonly reached: Promise<void>
  /** Let it go on. */
  release(): void
}

/** Prepare to hold a process. Call `release` at the end in any case. */
export function prepareHold(point: FaultPoint): Prepared {
  const dir = join(scratch(), 'fault')
  mkdirSync(dir)
  closeSync(openSync(join(dir, 'hold'), 'w'))
  const watcher = watch(dir)
  const reached = new Promise<void>((resolve) => {
    watcher.on('change', (_, name) => {
      if (name === 'reached') resolve()
    })
  })
  const env = variablesOf(point, dir)
  const release = () => {
    watcher.close()
    rmSync(join(dir, 'hold'), { force: true })
  }
  return { env, reached, release }
}

/** Variables of a process whose address space has no room for threads. */
export const NO_ROOM_FOR_THREADS = { NODE_OPTIONS: `--import=${PRELOAD}`, FAULT_LACKS: 'threads' }

/** Variables of a process that shall come to a point. @param dir - where it says that it is there */
export function variablesOf(point: FaultPoint, dir: string): Record<string, string> {
  return {
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${PRELOAD}`,
    FAULT_KIND: point.lacks ? 'lack' : point.fails ? 'fail' : point.pends ? 'pend' : 'hold',
    FAULT_CALL: point.call,
    FAULT_ON: point.on?.source ?? '',
    FAULT_NTH: String(point.nth ?? 1),
    FAULT_AFTER: point.after ? '1' : '0',
    FAULT_DIR: dir,
    FAULT_CODE: point.fails ?? '',
    FAULT_LACKS: point.lacks ?? '',
  }
}

/** The CLI at a {@link FaultPoint}. */
export interface Held {
  readonly child: ReturnType<typeof startFluxTs>['child']
  readonly ended: ReturnType<typeof startFluxTs>['ended']
  /** Let it go on. */
  release(): void
}

/** Start the CLI, and wait until it is held. @throws it ended before it came there */
export async function heldAt(
  point: FaultPoint,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Held> {
  const hold = prepareHold(point)
  const { child, ended } = startFluxTs(args, { ...env, ...hold.env })
  const early = ended.then(({ status, signal, stderr }) => {
    hold.release()
    throw new Error(`it ended (${status ?? signal}) before ${point.call} ${point.on ?? ''}: ${stderr}`)
  })
  early.catch(() => {})
  await Promise.race([hold.reached, early])
  return { child, ended, release: hold.release }
}
