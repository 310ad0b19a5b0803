/**
 * Opens a store where there is too little of something, and prints as JSON, a line each, what came of it.
 *
 *     node starved.mjs STORE files COUNT    with 0, 1, … COUNT file descriptors left
 *     node starved.mjs STORE threads        where no thread can be started
 */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { openStore } from '../../src/content/index.ts'

const [path, what, count] = process.argv.slice(2)

async function attempt() {
  try {
    const store = await openStore(path)
    await store.close()
    return { opened: true }
  } catch ({ code, message, hint }) {
    return { code, message, hint }
  }
}

/** Take all descriptors but some. */
function takeFiles(left) {
  const fds = []
  try {
    for (;;) fds.push(openSync('/dev/null', 'r'))
  } catch {
    for (const fd of fds.splice(0, left)) closeSync(fd)
  }
  return fds
}

const outcomes = []
if (what === 'threads') {
  const limited = spawnSync('prlimit', ['--pid', String(process.pid), '--nproc=1:1'])
  if (limited.status !== 0) throw new Error(String(limited.stderr ?? limited.error))
  // The limit is not for root.
  if (process.geteuid() === 0) process.setuid(65_534)
  outcomes.push(await attempt())
} else {
  for (let left = 0; left <= Number(count); left++) {
    const fds = takeFiles(left)
    const outcome = await attempt()
    for (const fd of fds) closeSync(fd)
    outcomes.push(outcome)
  }
}
for (const outcome of outcomes) console.log(JSON.stringify(outcome))
