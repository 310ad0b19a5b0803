/**
 * The cases of the fault matrix: the CLI runs as a process while something goes wrong, and everything that must hold
 * then is checked for each case in the same way.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  cpSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type FaultPoint, prepareHold } from './fault-points.ts'
import { fixture, scratch } from './fixtures.ts'
import { CLI, cleanEnv } from './processes.ts'

/** Where a case takes place. All of it is removed afterwards. */
export interface Scene {
  /** The directory in which OUTFILE is to be. */
  readonly out: string
  /** `x.tar` in it, or another name that the case asks for. */
  readonly outfile: string
  /** A copy of the statedir of the fixture `jobs`, or of another one. */
  readonly store: string
  /** TMPDIR of the command. */
  readonly tmp: string
  /** What the case wants to keep between its steps. */
  readonly held: Record<string, unknown>
}

/** The process of a case, while it runs. */
export interface Running {
  readonly pid: number
  kill(signal: NodeJS.Signals): void
  /** Settles when a text has come on its stderr. */
  said(text: RegExp): Promise<void>
  readonly stdin: NodeJS.WritableStream | null
  readonly stdout: NodeJS.ReadableStream | null
}

/** Undoes what {@link FaultCase.prepare} did. */
type Undo = undefined | (() => void | Promise<void>)

/** One line of the fault matrix. */
export interface FaultCase {
  /** Completes "dump when ...". */
  readonly name: string
  /** Name of OUTFILE (default: `x.tar`). */
  readonly outfile?: string
  /** Name of the fixture that is the store (default: `jobs`). */
  readonly fixture?: string
  /** Put this file under the final name first: it must still be there, whole. */
  readonly older?: boolean
  /** The directory of OUTFILE is a file system of its own. Only where {@link canMount}. */
  readonly disk?: SmallDisk
  /** Make the fault. What it returns undoes it, before the scene is looked at. */
  readonly prepare?: (scene: Scene) => Undo | Promise<Undo>
  /** Default: `dump -q --store STORE OUTFILE`. */
  readonly args?: (scene: Scene) => readonly string[]
  /** A command that starts another, its arguments after its own: `['prlimit', '--nofile=20']`, `['sh', '-c', '…; exec "$@"', 'sh']`. */
  readonly through?: (scene: Scene) => readonly string[]
  /** Variables to set; undefined removes one. */
  readonly env?: (scene: Scene) => Readonly<Record<string, string | undefined>>
  /** A path is opened for reading and writing. */
  readonly stdio?: readonly ('ignore' | 'pipe' | 'closed' | `/${string}`)[]
  /** Hold the process there while {@link during} happens; or let it fail there. */
  readonly at?: FaultPoint
  /** What happens while it runs, or while it is held. */
  readonly during?: (scene: Scene, running: Running) => void | Promise<void>
  /** Exit status, or the signal that ends it. */
  readonly status: number | NodeJS.Signals
  /** The only line of stderr; undefined if there is none. With status 2 two lines of usage follow it. */
  readonly error: RegExp | undefined
  /** A line of stderr that comes before it: a warning, not an error. */
  readonly warning?: RegExp
  /** What must be in the directory of OUTFILE in the end, besides what was there (default: nothing). */
  readonly leaves?: readonly string[]
  /** The case changes the store itself, so its bytes are not compared. */
  readonly storeChanges?: boolean
  /** Further checks. */
  readonly check?: (scene: Scene, outcome: { stdout: Buffer; stderr: string }) => void
}

/** A small file system. */
export interface SmallDisk {
  /** Its size; what is not given has no limit. */
  readonly bytes?: number
  /** How much of it each user may have. */
  readonly quotaBytes?: number
  /** How many files fit in it. */
  readonly files?: number
  /** Make it read-only when everything is prepared. */
  readonly readOnly?: boolean
}

/** True when this user may mount file systems. */
export const canMount = (() => {
  const mounted = ['-o', 'size=4k', 'tmpfs']
  return spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', ...mounted, '/mnt']).status === 0
})()

/** How long a command may take before it is said to hang. */
const HANG_MS = 120_000

/** What an older file under the final name holds. */
export const OLDER = 'the last good one\n'

/** Run a case, and check what must hold in all of them. */
export async function checkFault(fault: FaultCase): Promise<void> {
  const base = scratch()
  const scene: Scene = {
    out: join(base, 'out'),
    outfile: join(base, 'out', fault.outfile ?? 'x.tar'),
    store: join(base, 'store'),
    tmp: join(base, 'tmp'),
    held: {},
  }
  mkdirSync(scene.out)
  mkdirSync(scene.tmp)
  cpSync(fixture(fault.fixture ?? 'jobs'), scene.store, { recursive: true })
  if (fault.disk) mount(fault.disk, scene.out)
  try {
    await runAndLook(fault, scene)
  } finally {
    if (fault.disk) command('umount', ['-l', scene.out])
  }
}

async function runAndLook(fault: FaultCase, scene: Scene): Promise<void> {
  if (fault.older) writeFileSync(scene.outfile, OLDER)
  const undo = await fault.prepare?.(scene)
  if (fault.disk?.readOnly) command('mount', ['-o', 'remount,ro', scene.out])
  const before = { out: listing(scene.out), tmp: listing(scene.tmp), store: listing(scene.store) }
  let outcome: Awaited<ReturnType<typeof runCase>>
  try {
    outcome = await runCase(fault, scene)
  } finally {
    await undo?.()
  }
  const lines = outcome.stderr.split('\n')
  expect(lines.pop(), 'the end of stderr').to.equal('')
  if (fault.warning) expect(lines.shift()).to.match(fault.warning)
  if (fault.error === undefined) expect(lines.join('\n')).to.equal('')
  else {
    expect(lines[0], outcome.stderr).to.match(fault.error)
    // The usage follows an error of the command line.
    const isUsage = fault.status === 2 && lines[1]?.startsWith('Usage: ')
    expect(lines, 'lines of stderr').to.have.length(isUsage ? 3 : 1)
  }
  expect(outcome.signal ?? outcome.status, outcome.stderr).to.equal(fault.status)
  expect(outcome.groupIsGone, 'a process is left').to.equal(true)
  const after = listing(scene.out)
  for (const left of fault.leaves ?? []) {
    const names = Object.keys(after).filter((name) => name === left || name.startsWith(`${left}/`))
    expect(names, left).not.to.have.length(0)
    for (const name of names) {
      delete after[name]
      delete before.out[name]
    }
  }
  expect(after, 'the directory of OUTFILE').to.deep.equal(before.out)
  expect(listing(scene.tmp), 'TMPDIR').to.deep.equal(before.tmp)
  if (!fault.storeChanges) expect(listing(scene.store), 'the store').to.deep.equal(before.store)
  if (fault.older && !fault.leaves?.includes(fault.outfile ?? 'x.tar')) {
    expect(readFileSync(scene.outfile, 'utf8')).to.equal(OLDER)
  }
  fault.check?.(scene, outcome)
}

function mount({ bytes, files, quotaBytes }: SmallDisk, dir: string): void {
  // The directory itself is a file too.
  const options = [`size=${bytes ?? 0}`, `nr_inodes=${files === undefined ? 0 : files + 1}`]
  if (quotaBytes !== undefined) options.push(`usrquota_block_hardlimit=${quotaBytes}`)
  command('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', dir])
}

function command(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args)
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}

/** A test for each case of a table. */
export function faultMatrix(title: string, cases: readonly FaultCase[]): void {
  describe(title, () => {
    for (const fault of cases) it(fault.name, () => checkFault(fault))
  })
}

async function runCase(fault: FaultCase, scene: Scene) {
  const args = fault.args?.(scene) ?? ['dump', '-q', '--store', scene.store, scene.outfile]
  const [program = '', ...rest] = [...(fault.through?.(scene) ?? []), process.execPath, CLI, ...args]
  const hold = fault.at && prepareHold(fault.at)
  const env: Record<string, string | undefined> = {
    ...cleanEnv(),
    TMPDIR: scene.tmp,
    ...hold?.env,
    ...fault.env?.(scene),
  }
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete env[name]
  const [stdin = 'ignore', stdout = 'pipe', stderr = 'pipe'] = fault.stdio ?? []
  const closed = [stdin, stdout, stderr].flatMap((way, fd) => (way === 'closed' ? [fd] : []))
  const command = closed.length === 0 ? [program, ...rest] : closing(closed, [program, ...rest])
  const opened: number[] = []
  const open = (way: string) => {
    if (way === 'closed') return 'ignore'
    if (!way.startsWith('/')) return way as 'ignore' | 'pipe'
    const fd = openSync(way, 'r+')
    opened.push(fd)
    return fd
  }
  // A group of its own: what the command leaves behind is in it.
  const child = spawn(command[0] as string, command.slice(1), {
    env,
    cwd: scene.out,
    detached: true,
    stdio: [stdin, stdout, stderr].map(open),
  })
  for (const fd of opened) closeSync(fd)
  const pid = child.pid as number
  let text = ''
  const waiting: { pattern: RegExp; resolve: () => void }[] = []
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr?.setEncoding('utf8').on('data', (more: string) => {
    text += more
    for (const { pattern, resolve } of waiting) if (pattern.test(text)) resolve()
  })
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => resolve({ status, signal }))
  })
  const running: Running = {
    pid,
    kill: (signal) => process.kill(pid, signal),
    said: (pattern) =>
      pattern.test(text) ? Promise.resolve() : new Promise((resolve) => waiting.push({ pattern, resolve })),
    stdin: child.stdin,
    stdout: child.stdout,
  }
  let hangs = false
  const watchdog = setTimeout(() => {
    hangs = true
    if (groupLives(pid)) process.kill(-pid, 'SIGKILL')
  }, HANG_MS)
  const happen = async () => {
    if (hold && fault.during) {
      const early = ended.then(() => {
        throw new Error(`it ended before ${fault.at?.call} ${fault.at?.on ?? ''}: ${text}`)
      })
      await Promise.race([hold.reached, early])
      early.catch(() => {})
    }
    await fault.during?.(scene, running)
    hold?.release()
  }
  try {
    await Promise.all([happen(), ended])
    expect(hangs, 'it hangs').to.equal(false)
    return { ...(await ended), stdout: Buffer.concat(chunks), stderr: text, groupIsGone: !groupLives(pid) }
  } finally {
    clearTimeout(watchdog)
    hold?.release()
    if (groupLives(pid)) process.kill(-pid, 'SIGKILL')
  }
}

/** A command that is started with some descriptors closed. */
function closing(descriptors: readonly number[], command: readonly string[]): string[] {
  const redirects = descriptors.map((fd) => (fd === 0 ? '<&-' : `${fd}>&-`)).join(' ')
  return ['sh', '-c', `exec "$@" ${redirects}`, 'sh', ...command]
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0)
    return true
  } catch {
    return false
  }
}

/** All paths below a directory with their kinds, modes and contents; empty for one that is gone or no directory. */
function listing(dir: string): Record<string, string> {
  const found: Record<string, string> = {}
  let names: string[]
  try {
    names = readdirSync(dir, { recursive: true }) as string[]
  } catch {
    return found
  }
  for (const name of names.sort()) {
    const path = join(dir, name)
    const stat = lstatSync(path)
    const kind = `${(stat.mode >>> 0).toString(8)} ${stat.uid}`
    if (stat.isFile()) found[name] = `${kind} ${createHash('sha1').update(readFileSync(path)).digest('hex')}`
    else found[name] = stat.isSymbolicLink() ? `${kind} -> ${readlinkSync(path)}` : kind
  }
  return found
}
