/** Runs in the thread of deferred-fs.ts: makes the system calls, one after another. */
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
import { workerData } from 'node:worker_threads'
import { writeError } from '../../../errors/index.ts'
import { type Answer, serveThread } from '../../../threads/index.ts'

/** Start data of the thread. */
export interface StepsThreadData {
  /** The directory, as the user named it. */
  outfile: string
}

/** One call. `write` and `utimes` apply to the open file; `write` gives the range of its bytes in `data`. */
export type Step =
  | readonly ['directory', path: string, mode: number]
  | readonly ['file', path: string]
  | readonly ['write', from: number, to: number]
  | readonly ['utimes', seconds: number]
  | readonly ['chmod', path: string, mode: number]
  | readonly ['symlink', path: string, target: string]

/** The calls of the thread. */
export type StepsHandlers = {
  /** Run the steps. @returns the buffer of `data`, for reuse */
  take: (steps: { steps: readonly Step[]; data: Uint8Array<ArrayBuffer>; last: boolean }) => Answer<ArrayBuffer>
}

const { outfile } = workerData as StepsThreadData

/** The open file. */
let path = ''
let fd = -1

/** Open only a new file, and never through a link. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

function close(): void {
  if (fd >= 0) closeSync(fd)
  fd = -1
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}

/** Make a directory and the missing ones above it, all with this mode regardless of the umask. */
function makeDirectory(path: string, mode: number): void {
  const first = mkdirSync(path, { recursive: true, mode })
  if (first === undefined) return
  for (let at = path; at.length >= first.length; at = dirname(at)) chmodSync(at, mode)
}

function take(steps: readonly Step[], data: Uint8Array): void {
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

serveThread(
  outfile,
  (): StepsHandlers => ({
    take({ steps, data, last }) {
      try {
        take(steps, data)
      } catch (error) {
        throw writeError(error, outfile)
      }
      if (last) close()
      return { reply: data.buffer, transfer: [data.buffer] }
    },
  }),
)
