/** Open a named pipe so that the wait can be aborted: open(2) blocks until another process opens the other end. */
import { closeSync, constants, openSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** How often to try again to end the wait: our own open(2) may not have started. */
const RETRY_MS = 5

const WAYS = {
  read: { own: constants.O_RDONLY, other: constants.O_WRONLY },
  write: { own: constants.O_WRONLY, other: constants.O_RDONLY },
}

/**
 * Open a named pipe, and wait until another process has opened its other end. Reads and writes on the handle do not
 * block but fail with `EAGAIN`: a thread that blocks in one would keep the process from exiting.
 *
 * @param signal - ends the wait. A handle is returned even then: the caller must check the signal and close the handle
 * @throws {NodeJS.ErrnoException} of the file system
 */
export async function openFifo(path: string, way: 'read' | 'write', signal?: AbortSignal): Promise<FileHandle> {
  const { own, other } = WAYS[way]
  let timer: NodeJS.Timeout | undefined
  // Only opening the other end ends the open(2) that blocks a thread, and a blocked thread keeps the process from
  // exiting.
  const endWait = () => {
    try {
      closeSync(openSync(path, other | constants.O_NONBLOCK))
    } catch {
      // open(2) is not waiting yet, or we lack the permission.
    }
    timer = setTimeout(endWait, RETRY_MS)
  }
  signal?.addEventListener('abort', endWait, { once: true })
  try {
    if (signal?.aborted) endWait()
    const waited = await open(path, own)
    if (signal?.aborted) return waited
    try {
      // While the first handle is open, this does not block, and the other end notices nothing.
      return await open(path, own | constants.O_NONBLOCK)
    } finally {
      await waited.close()
    }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', endWait)
  }
}
