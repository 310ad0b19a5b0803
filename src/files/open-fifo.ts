/** Opening what may be a named pipe, in a way that can be called off: open(2) waits for who opens the other end. */
import { closeSync, constants, openSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** How long to wait before a pipe that nobody waits at yet is tried again. */
const RETRY_MS = 5

const WAYS = {
  read: { own: constants.O_RDONLY, other: constants.O_WRONLY },
  write: { own: constants.O_WRONLY, other: constants.O_RDONLY },
}

/**
 * Open a named pipe, and wait until somebody has opened its other end. Reads and writes of it do not wait: they answer
 * `EAGAIN`, since a thread that is in one would hold up the end of the process.
 *
 * @param signal - ends the wait; then it is for the caller to look at it, and to close what is answered
 * @throws {NodeJS.ErrnoException} of the file system
 */
export async function openFifo(path: string, way: 'read' | 'write', signal?: AbortSignal): Promise<FileHandle> {
  const { own, other } = WAYS[way]
  let timer: NodeJS.Timeout | undefined
  // Nothing else ends the wait of the thread that is in open(2), and with it the process, than to be the other end.
  const endWait = () => {
    try {
      closeSync(openSync(path, other | constants.O_NONBLOCK))
    } catch {
      // It does not wait yet, or we may not.
    }
    timer = setTimeout(endWait, RETRY_MS)
  }
  signal?.addEventListener('abort', endWait, { once: true })
  try {
    if (signal?.aborted) endWait()
    const waited = await open(path, own)
    if (signal?.aborted) return waited
    try {
      // As long as the first is open, this does not wait, and whoever is at the other end notices nothing.
      return await open(path, own | constants.O_NONBLOCK)
    } finally {
      await waited.close()
    }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', endWait)
  }
}
