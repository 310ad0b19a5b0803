/**
 * Loaded before the CLI (`node --import`), in each of its threads: holds the process at one call into Node.js, so that a test
 * can do something to it at exactly that moment; or makes that call fail. See fault-points.ts.
 */
import { Buffer } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { DatabaseSync } from 'node:sqlite'
import workerThreads, { isMainThread } from 'node:worker_threads'

const { FAULT_CALL: call, FAULT_ON = '', FAULT_NTH = '1', FAULT_DIR: dir, FAULT_CODE: code } = process.env
const on = new RegExp(FAULT_ON)
const isAfter = process.env.FAULT_AFTER === '1'
const { closeSync, existsSync, openSync, readFileSync, readlinkSync } = fs
let left = Number(FAULT_NTH)

/** True at the call that is meant. */
function isIt(subject) {
  return on.test(subject) && --left === 0
}

/** Tell the test that it is there, and wait until it lets go. Signals wait too: JavaScript runs again only then. */
function reach(subject) {
  if (!isIt(subject)) return
  closeSync(openSync(`${dir}/reached`, 'w'))
  const nothing = new Int32Array(new SharedArrayBuffer(4))
  while (existsSync(`${dir}/hold`)) Atomics.wait(nothing, 0, 0, 2)
}

function pathOf(target) {
  if (typeof target !== 'number') return Buffer.isBuffer(target) ? target.toString() : String(target)
  try {
    return readlinkSync(`/proc/self/fd/${target}`)
  } catch {
    return ''
  }
}

/** Hold each call of a function, before or after it is made. */
function held(original, subjectOf) {
  return function (subject, ...rest) {
    if (!isAfter) reach(subjectOf(subject))
    const result = original.call(this, subject, ...rest)
    if (isAfter) reach(subjectOf(subject))
    return result
  }
}

/** Make this call and all that follow of its kind fail, as they do when a disk is full. */
function failing(original, subjectOf) {
  let hasBegun = false
  return function (subject, ...rest) {
    hasBegun ||= isIt(subjectOf(subject))
    if (!hasBegun || !on.test(subjectOf(subject))) return original.call(this, subject, ...rest)
    const error = Object.assign(new Error(`${code}: made to fail, ${call}`), { code, syscall: call })
    const callback = rest.at(-1)
    if (typeof callback !== 'function') throw error
    process.nextTick(callback, error)
  }
}

/** Have the call that is meant take its time: JavaScript goes on, until the test lets go. */
function pending(original, subjectOf) {
  return function (subject, ...rest) {
    if (!isIt(subjectOf(subject))) return original.call(this, subject, ...rest)
    closeSync(openSync(`${dir}/reached`, 'w'))
    const timer = setInterval(() => {
      if (existsSync(`${dir}/hold`)) return
      clearInterval(timer)
      original.call(this, subject, ...rest)
    }, 2)
  }
}

/** What a lack of memory is. */
const LACKS = {
  /** The heap of this thread grows until V8 ends it. */
  heap() {
    const kept = []
    // V8 ends a thread when it calls something outside of JavaScript.
    while (existsSync('/')) kept.push(new Array(10_000).fill(kept.length))
  },
  /** From here on, the process gets no more address space. @param spare - but so many bytes */
  space(spare = 0) {
    const bytes = Number.parseInt(readFileSync('/proc/self/statm', 'latin1'), 10) * 4096 + spare
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(process.pid), `--as=${bytes}`])
    if (status !== 0) throw new Error(String(stderr))
  },
}

/** Let the process lack memory at the call that is meant. */
function lacking(original, subjectOf) {
  return function (subject, ...rest) {
    if (isIt(subjectOf(subject))) LACKS[process.env.FAULT_LACKS]()
    return original.call(this, subject, ...rest)
  }
}

// Less than a thread takes.
if (isMainThread && process.env.FAULT_LACKS === 'threads') LACKS.space(200 << 20)
if (isMainThread && process.env.FAULT_LACKS === 'heap') {
  const { Worker } = workerThreads
  workerThreads.Worker = class extends Worker {
    constructor(file, options) {
      const small = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 1 }
      super(file, { ...options, resourceLimits: { ...options.resourceLimits, ...small } })
    }
  }
  syncBuiltinESMExports()
}

const wrapped = {
  hold: held,
  fail: failing,
  pend: pending,
  lack: lacking,
}[process.env.FAULT_KIND]
if (call === 'exec') {
  DatabaseSync.prototype.exec = wrapped(DatabaseSync.prototype.exec, String)
} else if (call !== undefined) {
  const original = fs[call]
  fs[call] = wrapped(original, pathOf)
  // What promisify() makes of it.
  for (const symbol of Object.getOwnPropertySymbols(original)) fs[call][symbol] = original[symbol]
  syncBuiltinESMExports()
}
