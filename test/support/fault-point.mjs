/**
 * Loaded before the CLI (`node --import`), in each of its threads: holds the process at one call into Node.js, so that a test
 * can do something to it at exactly that moment. See fault-points.ts.
 */
import { Buffer } from 'node:buffer'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { DatabaseSync } from 'node:sqlite'

const { FAULT_CALL: call, FAULT_ON = '', FAULT_NTH = '1', FAULT_DIR: dir } = process.env
const on = new RegExp(FAULT_ON)
const isAfter = process.env.FAULT_AFTER === '1'
const { closeSync, existsSync, openSync, readlinkSync } = fs
let left = Number(FAULT_NTH)

/** Tell the test that it is there, and wait until it lets go. Signals wait too: JavaScript runs again only then. */
function reach(subject) {
  if (!on.test(subject) || --left !== 0) return
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

if (call === 'exec') {
  DatabaseSync.prototype.exec = held(DatabaseSync.prototype.exec, String)
} else if (call !== undefined) {
  const original = fs[call]
  fs[call] = held(original, pathOf)
  // What promisify() makes of it.
  for (const symbol of Object.getOwnPropertySymbols(original)) fs[call][symbol] = original[symbol]
  syncBuiltinESMExports()
}
