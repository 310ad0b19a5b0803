/** What runs in the thread of deferred-fs.ts: the calls themselves, one after another. */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type MessagePort, parentPort } from 'node:worker_threads'
import type { FromThread, Steps } from './deferred-fs.ts'

const port = parentPort as MessagePort
/** The file that is being written. */
let path = ''
let fd = -1

/** Never an existing file, nor through a link. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

function close(): void {
  if (fd >= 0) closeSync(fd)
  fd = -1
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}

/** With those above it that are not there yet, whatever the umask is. */
function makeDirectory(path: string, mode: number): void {
  const first = mkdirSync(path, { recursive: true, mode })
  if (first === undefined) return
  for (let at = path; at.length >= first.length; at = dirname(at)) chmodSync(at, mode)
}

function take({ steps, data }: Steps): void {
  for (const step of steps) {
    switch (step[0]) {
      case 'write':
        write(data.subarray(step[1], step[2]))
        break
      case 'utimes':
        futimesSync(fd, step[1], step[1])
        break
      case 'file':
        close()
        path = step[1]
        fd = openSync(path, NEW_FILE, 0o600)
        break
      case 'chmod':
        if (fd >= 0 && step[1] === path) fchmodSync(fd, step[2])
        else chmodSync(step[1], step[2])
        break
      case 'directory':
        makeDirectory(step[1], step[2])
        break
      case 'symlink':
        symlinkSync(step[2], step[1])
        break
    }
  }
}

port.on('message', (steps: Steps) => {
  try {
    take(steps)
    if (steps.last) close()
    const taken = steps.data as Uint8Array<ArrayBuffer>
    port.postMessage({ taken } satisfies FromThread, [taken.buffer])
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    port.postMessage({ failed: { code, message } } satisfies FromThread)
  }
})
