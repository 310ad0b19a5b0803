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
import { workerData } from 'node:worker_threads'
import { type Answer, serveThread } from '../../../threads/index.ts'

/** What the thread is started with. */
export interface StepsThreadData {
  /** What is attempted, for messages: `cannot write /a/b`. */
  name: string
}

/** One call, with its path or, of the file that is open, where its data are. */
export type Step =
  | readonly ['directory', path: string, mode: number]
  | readonly ['file', path: string]
  | readonly ['write', from: number, to: number]
  | readonly ['utimes', seconds: number]
  | readonly ['chmod', path: string, mode: number]
  | readonly ['symlink', path: string, target: string]

/** What the thread does. */
export type StepsHandlers = {
  /** Do all these. @returns the buffer of `data`, to be filled again */
  take: (steps: { steps: readonly Step[]; data: Uint8Array<ArrayBuffer>; last: boolean }) => Answer<ArrayBuffer>
}

const { name } = workerData as StepsThreadData

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
  name,
  (): StepsHandlers => ({
    take({ steps, data, last }) {
      take(steps, data)
      if (last) close()
      return { reply: data.buffer, transfer: [data.buffer] }
    },
  }),
)
