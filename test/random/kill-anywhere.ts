/**
 * Kills dumps, restores and repairs at random moments, and checks what they leave: `npm run test:random -- --minutes 5`. It is
 * not part of `npm test`, which ends them at named points. A failure prints the seed; `--seed N` repeats its choices, though
 * not the moments at which signals arrive.
 */
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { random } from '../../bench/random.ts'
import { openStore } from '../../src/content/index.ts'
import { fluxTs, startFluxTs } from '../support/processes.ts'
import { Blobs, dir, raw, type Tree, valref, writeSqlite } from '../support/trees.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } } })
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed)
const endMs = Date.now() + Number(values.minutes) * 60_000
const OLD = 'last good one'
process.env.SOURCE_DATE_EPOCH = '1'

const rand = random(seed)

function oneOf<T>(list: readonly T[]): T {
  return list[Math.floor(rand() * list.length)] as T
}

function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`${what} (seed ${seed})`)
}

async function rootsOf(path: string): Promise<string[]> {
  await using store = await openStore(path)
  return (await store.checkpoints()).map(({ rootref }) => rootref)
}

const base = mkdtempSync(join(tmpdir(), 'flux-ts-random-'))
process.on('exit', () => rmSync(base, { recursive: true, force: true }))

/** A store of 6,000 values, with some that have lost a blob, if they are to be repaired. */
function makeStore(name: string, isDamaged: boolean): { path: string; rootref: string } {
  const path = join(base, name)
  mkdirSync(path)
  const blobs = new Blobs()
  const entries: Record<string, Tree> = {}
  for (let n = 0; n < 30; n++) {
    const below: Record<string, Tree> = {}
    for (let k = 0; k < 200; k++) below[`key${k}`] = valref(`${n} ${k} `.repeat(80))
    if (isDamaged) below.lost = raw('valref', [`sha1-${'1'.repeat(40)}`])
    entries[`dir${n}`] = dir(below)
  }
  const rootref = blobs.tree(entries)
  writeSqlite(join(path, 'content.sqlite'), blobs, [rootref])
  return { path, rootref }
}

/** Run to the end, to know how long it takes. @returns milliseconds */
function timed(...args: string[]): number {
  const began = performance.now()
  const { stderr, status } = fluxTs(args)
  assert(status === 0 || args[0] === 'fsck', `${args.join(' ')}: ${stderr}`)
  return performance.now() - began
}

async function killed(args: readonly string[], signal: NodeJS.Signals, usualMs: number) {
  const { child, ended } = startFluxTs(args)
  const timer = setTimeout(() => child.kill(signal), rand() * usualMs * 1.2)
  if (child.exitCode === null) await once(child, 'exit')
  clearTimeout(timer)
  return ended
}

const sound = makeStore('sound', false)
const damaged = makeStore('damaged', true)
const archive = join(base, 'whole.tar')
const takesMs: Record<string, number> = { 'x.tar': timed('dump', '-q', '--store', sound.path, archive) }
const wholes: Record<string, Buffer> = { 'x.tar': readFileSync(archive) }
for (const name of ['x.tgz', 'x.zip', 'x.iso']) {
  takesMs[name] = timed('dump', '-q', '--store', sound.path, join(base, name))
  wholes[name] = readFileSync(join(base, name))
}
mkdirSync(join(base, 'repaired'))
cpSync(join(damaged.path, 'content.sqlite'), join(base, 'repaired/content.sqlite'))
takesMs.fsck = timed('fsck', '-Rq', '--store', join(base, 'repaired'))
const [repaired] = await rootsOf(join(base, 'repaired'))

async function dumpKilled(work: string, signal: NodeJS.Signals): Promise<string> {
  const name = oneOf(Object.keys(wholes))
  const outfile = join(work, name)
  writeFileSync(outfile, OLD)
  const { status, stderr } = await killed(
    ['dump', '-q', '--store', sound.path, outfile],
    signal,
    takesMs[name] as number,
  )
  const left = readFileSync(outfile)
  const isOld = left.toString() === OLD
  assert(isOld || left.equals(wholes[name] as Buffer), `${name} is neither old nor whole after ${signal}`)
  if (signal === 'SIGKILL' || status === null) return `${name} ${isOld ? 'old' : 'whole'}`
  assert(readdirSync(work).length === 1, `${signal} left ${readdirSync(work)}`)
  assert(isOld ? status === 130 : [0, 130].includes(status), `${signal}: status ${status}: ${stderr}`)
  return `${name} ${isOld ? 'old' : 'whole'}`
}

async function restoreKilled(work: string, signal: NodeJS.Signals): Promise<string> {
  const isNew = rand() < 0.5
  const database = join(work, 'content.sqlite')
  if (!isNew) cpSync(join(damaged.path, 'content.sqlite'), database)
  await killed(['restore', '-q', '--store', work, archive], signal, (takesMs['x.tar'] as number) * 1.5)
  if (!existsSync(database)) {
    assert(isNew, 'the store that was there is gone')
    return 'restore: none'
  }
  const roots = await rootsOf(work)
  assert(isNew ? roots.length === 1 : roots.at(-1) === damaged.rootref, `checkpoints ${roots}`)
  const [newest] = roots
  if (newest !== damaged.rootref)
    assert(fluxTs(['fsck', '-q', '--store', work]).status === 0, 'the new root is not whole')
  return `restore: ${roots.length} checkpoints`
}

async function repairKilled(work: string, signal: NodeJS.Signals): Promise<string> {
  cpSync(join(damaged.path, 'content.sqlite'), join(work, 'content.sqlite'))
  await killed(['fsck', '-Rq', '--store', work], signal, takesMs.fsck as number)
  const roots = await rootsOf(work)
  assert([damaged.rootref, repaired].includes(roots[0]), `newest root ${roots[0]}`)
  assert(roots.at(-1) === damaged.rootref, 'the root that was there is gone')
  return `repair: ${roots.length} checkpoints`
}

const outcomes: Record<string, number> = {}
let rounds = 0
process.stdout.write(`seed ${seed}\n`)
while (Date.now() < endMs) {
  const work = join(base, `round${++rounds}`)
  mkdirSync(work)
  const signal = oneOf(['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'] as const)
  const outcome = await oneOf([dumpKilled, restoreKilled, repairKilled])(work, signal)
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  rmSync(work, { recursive: true })
}
process.stdout.write(`${rounds} rounds, all as they should be: ${JSON.stringify(outcomes)}\n`)
